// Server-sent events as text: bytes already decoded, in; events, out. Knows the WHATWG grammar and nothing of
// the network, which lives in stream.ts. The browser's own EventSource cannot send an Authorization header.

/** One dispatched event. `id` is the last id seen on the stream, as the standard has it. */
export interface ServerEvent {
  event: string;
  data: string;
  id: string | null;
}

/** A single event may not grow beyond this: a stream that never ends a block is broken, not patient. */
export const EVENT_CHARS_MAX = 1_048_576;

/** Feeds on arbitrary pieces of the stream and yields whole events; a piece may cut anywhere. */
export class EventParser {
  #rest = "";
  #data: string[] = [];
  #chars = 0;
  #event = "";
  #id: string | null;
  /** Reconnection time asked for by the server, in milliseconds, or null. */
  retry_ms: number | null = null;

  constructor(lastId: string | null = null) {
    this.#id = lastId;
  }

  /** Takes one piece; returns the events it completed. Throws RangeError past EVENT_CHARS_MAX. */
  push(piece: string): ServerEvent[] {
    const text = this.#rest + piece;
    const events: ServerEvent[] = [];
    let from = 0;
    for (;;) {
      const end = lineEnd(text, from);
      if (end === null) break;
      const event = this.#line(text.slice(from, end.at));
      if (event) events.push(event);
      from = end.next;
    }
    this.#rest = text.slice(from);
    if (this.#rest.length + this.#chars > EVENT_CHARS_MAX)
      throw new RangeError("event larger than the bound");
    return events;
  }

  #line(line: string): ServerEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null; // a comment: the server's heartbeat
    const field = colon < 0 ? line : line.slice(0, colon);
    const raw = colon < 0 ? "" : line.slice(colon + 1);
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    if (field === "data") {
      this.#data.push(value);
      this.#chars += value.length;
    } else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.retry_ms = Number(value);
    return null;
  }

  #dispatch(): ServerEvent | null {
    const data = this.#data;
    const event = this.#event || "message";
    this.#data = [];
    this.#chars = 0;
    this.#event = "";
    return data.length === 0 ? null : { event, data: data.join("\n"), id: this.#id };
  }
}

/** Finds the next line end: LF, CRLF or CR. A CR at the very end waits, for its LF may be in the next piece. */
function lineEnd(text: string, from: number): { at: number; next: number } | null {
  for (let i = from; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 10) return { at: i, next: i + 1 };
    if (char === 13) {
      if (i + 1 === text.length) return null;
      return { at: i, next: text.charCodeAt(i + 1) === 10 ? i + 2 : i + 1 };
    }
  }
  return null;
}
