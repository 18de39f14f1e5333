// The API as functions. The only file besides stream.ts that calls fetch on /v1. Keeps the key in memory; where it
// survives a reload is session.ts's business.

import {
  type Alert,
  type Asset,
  type AssetState,
  asItems,
  asObject,
  asText,
  type Feed,
  type Finding,
  readAlert,
  readAsset,
  readFeed,
  readFinding,
  readState,
  readTelemetry,
  readTrack,
  type Telemetry,
} from "./wire.ts";

/** A failed call, worded for a person: the problem document's title and detail (RFC 9457), or the network's. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail ? `${title}: ${detail}` : title);
  }
}

/** A list is followed for at most this many pages of 1000: far above any fleet, and an end. */
const PAGES_MAX = 20;
const TIMEOUT_MS = 20_000;

export type AlertAction = "acknowledge" | "resolve" | "dismiss";

export class Client {
  readonly #base: URL;

  constructor(
    readonly key: string,
    page: string = document.baseURI,
  ) {
    this.#base = new URL("v1/", page);
  }

  url(path: string): URL {
    return new URL(path, this.#base);
  }

  async assets(): Promise<Asset[]> {
    return keep((await this.#all("assets?limit=1000")).map(readAsset));
  }

  async states(): Promise<AssetState[]> {
    const items = await this.#all("states?limit=1000");
    const now_ms = Date.now();
    return keep(items.map((item) => readState(item, now_ms)));
  }

  async openAlerts(): Promise<Alert[]> {
    // Acknowledged is still unfinished business: it stays on the list, dimmed.
    const [open, acknowledged] = await Promise.all([
      this.#all("alerts?status=open&limit=200"),
      this.#all("alerts?status=acknowledged&limit=200"),
    ]);
    return keep([...open, ...acknowledged].map(readAlert));
  }

  async findings(asset_id: string): Promise<Finding[]> {
    const query = new URLSearchParams({ asset_id, limit: "100", order: "desc" });
    const items = asItems(await this.#get(`findings?${query}`));
    return keep(items.filter((item) => asObject(item).retracted !== true).map(readFinding));
  }

  async track(asset_id: string, from_ms: number, to_ms: number): Promise<[number, number][][]> {
    const query = new URLSearchParams({ ...range(from_ms, to_ms), max_points: "500" });
    return readTrack(await this.#get(`assets/${encodeURIComponent(asset_id)}/track?${query}`)) as [
      number,
      number,
    ][][];
  }

  /** `bucket` is an ISO 8601 duration; `fields` names the columns wanted. */
  async telemetry(
    asset_id: string,
    from_ms: number,
    to_ms: number,
    fields: readonly string[],
    bucket: string,
  ): Promise<Telemetry> {
    const query = new URLSearchParams({ ...range(from_ms, to_ms), bucket, limit: "1000" });
    if (fields.length > 0) query.set("fields", fields.join(","));
    return readTelemetry(await this.#all(`assets/${encodeURIComponent(asset_id)}/telemetry?${query}`));
  }

  /** The life of an asset as the API tells it, unread. */
  lifecycle(asset_id: string): Promise<unknown> {
    return this.#get(`assets/${encodeURIComponent(asset_id)}/lifecycle`);
  }

  /** An answer as a file of the wanted media type, as it came. */
  async file(path: string, media: string): Promise<Blob> {
    const response = await this.#fetch(path, { headers: { Accept: media } });
    return response.blob();
  }

  async feeds(): Promise<Feed[]> {
    return keep(asItems(await this.#get("feeds")).map(readFeed));
  }

  /** How many messages were rejected, over all feeds and reasons. */
  async rejectionCount(): Promise<number> {
    const counts = asItems(await this.#get("rejections/counts"));
    return counts.reduce<number>((sum, row) => {
      const { count } = asObject(row);
      return sum + (typeof count === "number" ? count : 0);
    }, 0);
  }

  /** Returns the alert after the change, or null where the server answers without one. */
  async act(
    alert_id: string,
    action: AlertAction,
    reason: string,
    kind: string | null = null,
  ): Promise<Alert | null> {
    const path = `alerts/${encodeURIComponent(alert_id)}/${action}`;
    const answer = await this.#call(path, {
      method: "POST",
      body: JSON.stringify(kind === null ? { reason } : { reason, kind }),
      headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    });
    return readAlert(answer);
  }

  async #all(path: string): Promise<unknown[]> {
    const items: unknown[] = [];
    let next: string | null = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const answer = await this.#get(next === null ? path : `${path}&cursor=${encodeURIComponent(next)}`);
      items.push(...asItems(answer));
      next = asText(asObject(answer).next_cursor);
      if (next === null) break;
    }
    return items;
  }

  #get(path: string): Promise<unknown> {
    return this.#call(path, {});
  }

  async #call(path: string, init: RequestInit): Promise<unknown> {
    const response = await this.#fetch(path, init);
    return response.status === 204 ? null : response.json();
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = {
      Accept: "application/json, application/geo+json;q=0.9",
      ...init.headers,
      Authorization: `Bearer ${this.key}`,
    };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(this.url(path), { ...init, headers, signal }).catch((error: Error) => {
      throw new Problem(0, "The server cannot be reached", error.message);
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

/** Reads a problem document; an answer that is none still gives a title. */
export async function problemOf(response: Response): Promise<Problem> {
  const body = asObject(await response.json().catch(() => null));
  const title = asText(body.title) ?? `The server answered ${response.status}`;
  return new Problem(response.status, title, asText(body.detail) ?? "");
}

function range(from_ms: number, to_ms: number): { from: string; to: string } {
  return { from: new Date(from_ms).toISOString(), to: new Date(to_ms).toISOString() };
}

function keep<T>(read: (T | null)[]): T[] {
  return read.filter((each) => each !== null);
}
