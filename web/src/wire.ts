// What the API sends, read leniently into the page's own shapes. A missing or odd field becomes null; an element
// without an id is dropped. Nothing past this file touches unknown JSON.

import type { Position } from "geojson";

export type Severity = "critical" | "warning" | "info";
export const SEVERITIES: readonly Severity[] = ["critical", "warning", "info"];

export interface Identifier {
  scheme: string;
  value: string;
}

export interface Asset {
  id: string;
  class: string;
  name: string;
  type: string | null;
  identifiers: Identifier[];
  stage: string | null;
  lease: string | null;
}

/** The last known state. `heard_ms` is on this machine's clock: now less the age the server stated. */
export interface AssetState {
  asset_id: string;
  time_ms: number | null;
  heard_ms: number | null;
  lon_deg: number | null;
  lat_deg: number | null;
  speed: { value: number; unit: string } | null;
  course_deg: number | null;
  altitude_ft: number | null;
  draught_m: number | null;
  displacement_t: number | null;
  weight_reason: string | null;
  operating_status: string | null;
  stage: string | null;
  lease: string | null;
  coverage: string | null;
  /** Names of the condition and performance sensors last read. */
  channels: string[] | null;
}

export interface Alert {
  id: string;
  rule: string;
  subject: string | null;
  severity: Severity;
  status: string;
  asset_id: string | null;
  asset: string | null;
  /** Alerts of one incident tell one story. */
  incident_id: string | null;
  opened_ms: number | null;
  updated_ms: number | null;
  closed_ms: number | null;
  revision: number;
  evidence: Record<string, unknown>;
}

/** A finding is an alert's raw material: the same fields without a workflow. */
export interface Finding {
  id: string;
  rule: string;
  subject: string | null;
  severity: Severity;
  asset_id: string | null;
  opened_ms: number | null;
  closed_ms: number | null;
  evidence: Record<string, unknown>;
}

export interface Feed {
  name: string;
  status: string | null;
  last_ms: number | null;
}

/** A table of one row a bucket; every field an array as long as `time_s`, with null where nothing was read. */
export interface Telemetry {
  time_s: number[];
  fields: Map<string, (number | null)[]>;
}

type Json = Record<string, unknown>;

/** Anything that is not an object reads as an empty one. */
export function asObject(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** The items of a list answer, bare arrays included. */
export function asItems(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  const items = asObject(value).items;
  return Array.isArray(items) ? items : [];
}

export function asText(value: unknown): string | null {
  if (typeof value === "string") return value === "" ? null : value;
  return typeof value === "number" ? String(value) : null;
}

function asNumber(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function asInstant(value: unknown): number | null {
  const at_ms = typeof value === "string" ? Date.parse(value) : asNumber(value);
  return at_ms === null || Number.isNaN(at_ms) ? null : at_ms;
}

/** A value that may stand alone or inside an object under one of the given names. */
function textWithin(value: unknown, ...names: string[]): string | null {
  const alone = asText(value);
  if (alone !== null) return alone;
  const object = asObject(value);
  return names.map((name) => asText(object[name])).find((text) => text !== null) ?? null;
}

function asSeverity(value: unknown): Severity {
  return SEVERITIES.find((severity) => severity === value) ?? "info";
}

export function readAsset(value: unknown): Asset | null {
  const raw = asObject(value);
  const id = asText(raw.id);
  if (id === null) return null;
  const identifiers = asItems(raw.identifiers).flatMap((each): Identifier[] => {
    const scheme = asText(asObject(each).scheme);
    const of = asText(asObject(each).value);
    return scheme !== null && of !== null ? [{ scheme, value: of }] : [];
  });
  const first = identifiers[0];
  return {
    id,
    class: asText(raw.class) ?? "unknown",
    name: asText(raw.name) ?? (first ? `${first.scheme} ${first.value}` : id),
    type: asText(raw.type),
    identifiers,
    stage: asText(raw.stage),
    lease: textWithin(raw.current_lease, "lessee_name", "lessee", "name", "reference", "id"),
  };
}

/** `now_ms` is when the answer arrived; a state without an age is as old as its time says. */
export function readState(value: unknown, now_ms: number): AssetState | null {
  const raw = asObject(value);
  const asset_id = asText(raw.asset_id);
  if (asset_id === null) return null;
  const time_ms = asInstant(raw.time);
  const age_s = asNumber(raw.age_s);
  const at = asItems(asObject(raw.position).coordinates) as Position;
  const lon_deg = asNumber(at[0]);
  const lat_deg = asNumber(at[1]);
  const placed = lon_deg !== null && lat_deg !== null;
  const weight = asObject(raw.weight);
  const speed = asNumber(asObject(raw.speed).value);
  return {
    asset_id,
    time_ms,
    heard_ms: age_s === null ? time_ms : now_ms - age_s * 1000,
    lon_deg: placed ? lon_deg : null,
    lat_deg: placed ? lat_deg : null,
    speed: speed === null ? null : { value: speed, unit: asText(asObject(raw.speed).unit) ?? "kn" },
    course_deg: asNumber(raw.course_deg),
    altitude_ft: asNumber(asObject(raw.altitude).value),
    draught_m: asNumber(raw.draught_m),
    displacement_t: asNumber(weight.displacement_t),
    weight_reason: asText(weight.reason) ?? asText(asObject(raw.reason).weight),
    operating_status: asText(raw.operating_status),
    stage: asText(raw.stage),
    lease: textWithin(raw.lease, "lessee_name", "lessee", "name", "reference", "id"),
    coverage: textWithin(raw.coverage, "quality", "verdict", "status"),
    channels: raw.channels == null ? null : Object.keys(asObject(raw.channels)),
  };
}

export function readAlert(value: unknown): Alert | null {
  const raw = asObject(value);
  const finding = readFinding(value);
  if (finding === null) return null;
  return {
    ...finding,
    status: asText(raw.status) ?? "open",
    asset: textWithin(raw.asset, "name", "identifier", "id"),
    incident_id: asText(raw.incident_id),
    updated_ms: asInstant(raw.updated_at),
    revision: asNumber(raw.revision) ?? 0,
  };
}

export function readFinding(value: unknown): Finding | null {
  const raw = asObject(value);
  const id = asText(raw.id);
  const rule = asText(raw.rule);
  if (id === null || rule === null) return null;
  return {
    id,
    rule,
    subject: asText(raw.subject),
    severity: asSeverity(raw.severity),
    asset_id: asText(raw.asset_id),
    opened_ms: asInstant(raw.opened_at),
    closed_ms: asInstant(raw.closed_at),
    evidence: asObject(raw.evidence),
  };
}

export function readFeed(value: unknown): Feed | null {
  const raw = asObject(value);
  const name = textWithin(raw.name ?? raw.feed ?? raw.id);
  if (name === null) return null;
  const last = raw.last_heard_at ?? raw.last_received_at ?? raw.last_time ?? raw.last_at;
  return { name, status: asText(raw.status) ?? asText(raw.state), last_ms: asInstant(last) };
}

/** Positions of a track Feature, one array a segment. */
export function readTrack(value: unknown): Position[][] {
  const geometry = asObject(asObject(value).geometry);
  const lines = geometry.type === "LineString" ? [geometry.coordinates] : asItems(geometry.coordinates);
  return lines.flatMap((line) => {
    const points = asItems(line).filter(
      (point): point is Position =>
        Array.isArray(point) && asNumber(point[0]) !== null && asNumber(point[1]) !== null,
    );
    return points.length > 0 ? [points] : [];
  });
}

/** A bucket's value may be a number or `{min, mean, max}`; the mean is what a line shows. */
export function readTelemetry(value: unknown): Telemetry {
  const rows = asItems(value)
    .map(asObject)
    .flatMap((row) => {
      const at_ms = asInstant(row.time);
      return at_ms === null ? [] : [{ at_ms, row }];
    })
    .sort((a, b) => a.at_ms - b.at_ms);
  const fields = new Map<string, (number | null)[]>();
  for (const [i, { row }] of rows.entries()) {
    for (const [field, cell] of Object.entries(row)) {
      const reading = asNumber(cell) ?? asNumber(asObject(cell).mean);
      if (field === "time" || reading === null) continue;
      const column = fields.get(field) ?? new Array<number | null>(rows.length).fill(null);
      column[i] = reading;
      fields.set(field, column);
    }
  }
  return { time_s: rows.map(({ at_ms }) => at_ms / 1000), fields };
}
