// An asset's life as the page draws it: the API's answer read leniently, and where each piece lies on a line of time.
// Pure: the end of the line comes as a parameter.

import { asItems, asObject, asText } from "./wire.ts";

/** A stretch of a life; null bounds are open. */
export interface Piece {
  label: string;
  from_ms: number | null;
  to_ms: number | null;
  title: string;
}

export interface LifeMilestone {
  kind: string;
  at_ms: number;
  words: string;
  days_late: number | null;
}

export interface LifeUse {
  flight_h: number | null;
  cycles: number | null;
  distance_nm: number | null;
  coverage: number | null;
  is_estimate: boolean;
}

export interface LifeLease extends Piece {
  reference: string | null;
  form: string;
  in_force: boolean;
  term_to_ms: number | null;
  days_to_redelivery: number | null;
  use: LifeUse | null;
}

export interface Life {
  stages: Piece[];
  leases: LifeLease[];
  milestones: LifeMilestone[];
  stage: string | null;
}

/** A piece on the line: where it begins and how long it is, in hundredths of the line. */
export interface Placed<T> {
  piece: T;
  left_pct: number;
  width_pct: number;
}

const YEAR_MS = 365.25 * 86_400_000;
/** A year is written where its digits have room before the end of the line. */
const LEFT_MAX_PCT = 92;
/** No more years are written than fit without touching (chosen for the drawer's width). */
const TICKS_MAX = 12;

export function readLife(value: unknown): Life {
  const raw = asObject(value);
  return {
    stage: asText(raw.stage),
    stages: asItems(raw.stages).flatMap((each) => {
      const row = asObject(each);
      const label = asText(row.stage);
      if (label === null) return [];
      return [{ label, ...bounds(row), title: `${asText(row.because) ?? ""}, ${asText(row.basis) ?? ""}` }];
    }),
    leases: asItems(raw.lease_periods).map(readLease),
    milestones: asItems(raw.milestones).flatMap((each) => {
      const row = asObject(each);
      const at_ms = instantMs(row.at);
      if (at_ms === null) return [];
      const words = asText(row.words) ?? "";
      return [{ kind: asText(row.kind) ?? "", at_ms, words, days_late: numberOf(row.days_late) }];
    }),
  };
}

function readLease(value: unknown): LifeLease {
  const row = asObject(value);
  const use = row.use === null || row.use === undefined ? null : asObject(row.use);
  const label = asText(row.lessee_name) ?? asText(row.reference) ?? asText(row.lease_id) ?? "";
  const form = asText(row.form) ?? "";
  return {
    label,
    ...bounds(row),
    title: `${label}, ${form.replaceAll("_", " ")}`,
    reference: asText(row.reference),
    form,
    in_force: row.in_force === true && row.head !== false,
    term_to_ms: instantMs(row.term_to),
    days_to_redelivery: numberOf(row.days_to_redelivery),
    use: use && {
      flight_h: numberOf(use.flight_h),
      cycles: numberOf(use.cycles),
      distance_nm: numberOf(use.distance_nm),
      coverage: numberOf(use.coverage),
      is_estimate: use.is_estimate === true,
    },
  };
}

/** The line's ends: the first instant that is known, and the later of now and the promised end of what is in force. */
export function span(life: Life, now_ms: number): [from_ms: number, to_ms: number] {
  const known = [...life.stages, ...life.leases].flatMap((each) => each.from_ms ?? []);
  const from_ms = Math.min(now_ms - YEAR_MS, ...known, ...life.milestones.map((each) => each.at_ms));
  const ends = life.leases.flatMap((each) => (each.in_force ? (each.term_to_ms ?? []) : []));
  return [from_ms, Math.max(now_ms, ...ends)];
}

/** Pieces on a line from one instant to another; an open end lasts until now, what lies outside is left out. */
export function placed<T extends Piece>(
  pieces: readonly T[],
  [from_ms, to_ms]: readonly [number, number],
  now_ms: number,
): Placed<T>[] {
  const whole = to_ms - from_ms;
  return pieces.flatMap((piece) => {
    const begin = Math.max(piece.from_ms ?? from_ms, from_ms);
    const end = Math.min(piece.to_ms ?? Math.max(now_ms, begin), to_ms);
    if (whole <= 0 || end < begin || (piece.from_ms === null && piece.to_ms === null && pieces.length > 1))
      return [];
    return [{ piece, left_pct: (100 * (begin - from_ms)) / whole, width_pct: (100 * (end - begin)) / whole }];
  });
}

/** Where the years begin on the line, every one or every second, fifth … so that few enough are written. */
export function years([from_ms, to_ms]: readonly [number, number]): { year: number; left_pct: number }[] {
  const first = new Date(from_ms).getUTCFullYear() + 1;
  const last = new Date(to_ms).getUTCFullYear();
  const step = [1, 2, 5, 10, 20, 50].find((each) => (last - first + 1) / each <= TICKS_MAX) ?? 100;
  const found: { year: number; left_pct: number }[] = [];
  for (let year = Math.ceil(first / step) * step; year <= last; year += step)
    found.push({ year, left_pct: (100 * (Date.UTC(year, 0, 1) - from_ms)) / (to_ms - from_ms) });
  return found.filter((each) => each.left_pct <= LEFT_MAX_PCT);
}

function bounds(row: Record<string, unknown>): { from_ms: number | null; to_ms: number | null } {
  return { from_ms: instantMs(row.valid_from), to_ms: instantMs(row.valid_to) };
}

function instantMs(value: unknown): number | null {
  const at_ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at_ms) ? null : at_ms;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
