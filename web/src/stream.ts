// The live stream: fetch with the key in its header, the parser, and the one place that reconnects. Bounded backoff,
// resumed from the last event id; a line that has gone quiet is cut, for a dead connection looks the same.

import { type Client, problemOf } from "./client.ts";
import { EventParser, type ServerEvent } from "./sse.ts";

export type StreamState =
  | { name: "connecting" }
  | { name: "live" }
  | { name: "waiting"; seconds: number }
  | { name: "refused" };

export interface StreamHandlers {
  event(event: ServerEvent): void;
  state(state: StreamState): void;
  /** The line is up again after a break: what was missed may be more than the server can resume. */
  resumed(): void;
}

const BACKOFF_FIRST_MS = 1000;
const BACKOFF_MAX_MS = 30_000;
/** Chosen: four times the 15 s heartbeat of common servers. */
const QUIET_MAX_MS = 60_000;

export class Stream {
  #stopped = new AbortController();
  #lastId: string | null = null;
  #failures = 0;
  #opened = 0;

  constructor(
    readonly client: Client,
    readonly handlers: StreamHandlers,
  ) {}

  /** Runs until stop(); never throws. */
  async run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.handlers.state({ name: "connecting" });
      const retry_ms = await this.#once();
      if (this.#stopped.signal.aborted) return;
      if (retry_ms === null) {
        this.handlers.state({ name: "refused" });
        return;
      }
      const backoff_ms = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.#failures, 10));
      const wait_ms = Math.max(retry_ms, backoff_ms) * (0.75 + Math.random() / 2); // a fleet of pages must not return as one
      this.#failures += 1;
      await this.#pause(wait_ms);
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** One connection's life. Returns the server's wish for a pause in ms, or null when it refused the key. */
  async #once(): Promise<number | null> {
    const line = new AbortController();
    const signal = AbortSignal.any([line.signal, this.#stopped.signal]);
    const parser = new EventParser(this.#lastId);
    let watchdog = setTimeout(() => line.abort(), QUIET_MAX_MS);
    try {
      const response = await fetch(this.client.url("stream"), {
        headers: this.#headers(),
        signal,
        cache: "no-store",
      });
      if (response.status === 401 || response.status === 403) return null;
      if (!response.ok || !response.body) throw await problemOf(response);
      this.#up();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return Math.min(parser.retry_ms ?? 0, BACKOFF_MAX_MS);
        clearTimeout(watchdog);
        watchdog = setTimeout(() => line.abort(), QUIET_MAX_MS);
        for (const event of parser.push(value)) {
          this.#lastId = event.id;
          this.#failures = 0;
          this.handlers.event(event);
        }
      }
    } catch {
      return Math.min(parser.retry_ms ?? 0, BACKOFF_MAX_MS); // shown as a state of the line, and tried again
    } finally {
      clearTimeout(watchdog);
      line.abort();
    }
  }

  #headers(): Record<string, string> {
    const headers: Record<string, string> = {
      Accept: "text/event-stream",
      Authorization: `Bearer ${this.client.key}`,
    };
    if (this.#lastId !== null) headers["Last-Event-ID"] = this.#lastId;
    return headers;
  }

  #up(): void {
    this.handlers.state({ name: "live" });
    if (this.#opened > 0) this.handlers.resumed();
    this.#opened += 1;
  }

  /** Counts the pause down aloud, second by second. */
  async #pause(wait_ms: number): Promise<void> {
    for (let left_ms = wait_ms; left_ms > 0 && !this.#stopped.signal.aborted; left_ms -= 1000) {
      this.handlers.state({ name: "waiting", seconds: Math.ceil(left_ms / 1000) });
      await new Promise((resolve) => setTimeout(resolve, Math.min(1000, left_ms)));
    }
  }
}
