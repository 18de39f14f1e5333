// How values read to a person. Pure: an instant comes in as a parameter, nothing here looks at a clock.

/** What stands where a value is not known. */
export const UNKNOWN = "—";

/** Units as they end a field's name, longest first, and as they are printed. */
const UNITS: readonly (readonly [suffix: string, printed: string])[] = [
  ["deg_min", "°/min"],
  ["t_h", "t/h"],
  ["kg_h", "kg/h"],
  ["mm_s", "mm/s"],
  ["kmh", "km/h"],
  ["fpm", "ft/min"],
  ["rpm", "rpm"],
  ["pct", "%"],
  ["psi", "psi"],
  ["bar", "bar"],
  ["ips", "in/s"],
  ["hpa", "hPa"],
  ["deg", "°"],
  ["min", "min"],
  ["kn", "kn"],
  ["ft", "ft"],
  ["nm", "nm"],
  ["km", "km"],
  ["kw", "kW"],
  ["m", "m"],
  ["s", "s"],
  ["h", "h"],
  ["d", "d"],
  ["t", "t"],
  ["c", "°C"],
];

const RULES: Readonly<Record<string, string>> = {
  gap: "Gone silent",
  position_jump: "Position jump",
  position_conflict: "In two places at once",
  spoofed_track: "Spoofed track",
  squawk_emergency: "Emergency squawk",
  speed_anomaly: "Unusual speed",
  channel_anomaly: "Sensor out of line",
  behaviour_anomaly: "Unusual behaviour",
  performance_drift: "Performance drifting",
  port_call_prohibited: "Prohibited port call",
  landing_prohibited: "Prohibited landing",
  identity_changed: "Identity changed",
  feed_silent: "Feed silent",
  gnss_interference: "GNSS interference",
  draught_change: "Draught changed at sea",
  drifting: "Drifting",
  encounter: "Encounter at sea",
  unexpected_stop: "Unexpected stop",
  rapid_descent: "Rapid descent",
  utilization_mismatch: "Utilization mismatch",
};

/** The rule in words; a rule unknown to this page keeps its own name, spaced. */
export function ruleTitle(rule: string): string {
  return RULES[rule] ?? sentence(rule);
}

/** `port_call` → `Port call`. */
export function sentence(name: string): string {
  const words = name
    .split(/[_ ]+/)
    .map((word) => ACRONYMS[word] ?? word)
    .join(" ")
    .trim();
  return words === "" ? UNKNOWN : words.charAt(0).toUpperCase() + words.slice(1);
}

/** Abbreviations of the trade, spelled as a reader expects them. */
const WORDS: Readonly<Record<string, string>> = {
  sog: "speed",
  cog: "course",
  gs: "ground speed",
  alt: "altitude",
  baro: "",
  geom: "geometric",
  me: "main engine",
  temp: "temperature",
};

const ACRONYMS: Readonly<Record<string, string>> = {
  egt: "EGT",
  n1: "N1",
  n2: "N2",
  imo: "IMO",
  mmsi: "MMSI",
  nic: "NIC",
  lng: "LNG",
  lpg: "LPG",
  gnss: "GNSS",
};

/** Splits a name that ends in its unit: `oil_pressure_psi` → `oil pressure`, `psi`. */
export function nameAndUnit(field: string): { words: string; unit: string } {
  const [suffix, unit] = UNITS.find(([ending]) => field.endsWith(`_${ending}`)) ?? ["", ""];
  const name = suffix === "" ? field : field.slice(0, -suffix.length - 1);
  const words = name.split("_").map((word) => WORDS[word] ?? ACRONYMS[word] ?? word);
  return { words: words.filter(Boolean).join(" "), unit };
}

/** A number with the digits its size deserves: 0.042, 4.2, 42, 42,000. */
export function number(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
  return value.toLocaleString("en-GB", { maximumFractionDigits: digits });
}

/** A number and its unit, `—` when unknown. Signs that belong to the digit stand close to it. */
export function quantity(value: number | null, unit: string): string {
  if (value === null) return UNKNOWN;
  if (unit === "") return number(value);
  const unit_s = { s: 1, min: 60, h: 3600 }[unit];
  if (unit_s !== undefined && value * unit_s >= 120) return span(value * unit_s);
  return unit.startsWith("°") && unit !== "°C" ? `${number(value)}${unit}` : `${number(value)} ${unit}`;
}

/** A length of time in one unit, rounded down: 12 s, 4 min, 3 h, 2 d. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 172_800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`;
}

/** A longer measured time in its two largest units: 2 h 15 min. */
function span(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  const [large, small, per, names] =
    minutes < 60
      ? [Math.floor(seconds / 60), Math.round(seconds % 60), 60, ["min", "s"]]
      : minutes < 2880
        ? [Math.floor(minutes / 60), minutes % 60, 60, ["h", "min"]]
        : [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), 24, ["d", "h"]];
  if (small === per) return `${large + 1} ${names[0]}`;
  return small === 0 ? `${large} ${names[0]}` : `${large} ${names[0]} ${small} ${names[1]}`;
}

/** How long ago, in words; an instant ahead of `now_ms` reads as now. */
export function ago(then_ms: number | null, now_ms: number): string {
  if (then_ms === null) return UNKNOWN;
  return now_ms - then_ms < 5000 ? "now" : `${duration((now_ms - then_ms) / 1000)} ago`;
}

/** `2026-11-22 13:33:44 UTC`. */
export function instant(at_ms: number | null): string {
  return at_ms === null ? UNKNOWN : `${new Date(at_ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Degrees and decimal minutes as mariners write them: `51°57.10′N 004°02.43′E`. */
export function position(lat_deg: number, lon_deg: number): string {
  return `${angle(lat_deg, 2, "N", "S")} ${angle(lon_deg, 3, "E", "W")}`;
}

function angle(value_deg: number, width: number, plus: string, minus: string): string {
  const hundredths = Math.round(Math.abs(value_deg) * 6000);
  const whole = String(Math.floor(hundredths / 6000)).padStart(width, "0");
  const minutes = ((hundredths % 6000) / 100).toFixed(2).padStart(5, "0");
  return `${whole}°${minutes}′${value_deg < 0 ? minus : plus}`;
}

/** `004°`, and 360 is 000. */
export function course(course_deg: number | null): string {
  return course_deg === null ? UNKNOWN : `${String(Math.round(course_deg) % 360).padStart(3, "0")}°`;
}

/** Fields that speak for themselves: their value is printed without their name. */
const SPEAKING = ["verdict", "meaning", "circumstance"];
/** What a reader wants first, where it is there; the rest follows in the order it came. */
const FIRST = [
  "silent_h",
  "observed",
  "expected",
  "implied_speed_kn",
  "distance_nm",
  "neighbours_heard",
  "squawk",
];
/** What says nothing at a glance. */
const DULL =
  /(^|_)(id|ids|version|method|lat|lon|model|n|count|score|threshold|seed|jumps|decodes)$|_(lat|lon)_deg$|^(lat|lon)_deg$/;

/** The evidence in one short line: what speaks for itself, what drove a model, then the first few facts. */
export function evidenceBrief(evidence: Readonly<Record<string, unknown>>, facts_max = 3): string {
  const spoken = SPEAKING.map((field) => evidence[field]).filter((value) => typeof value === "string");
  const drivers = Array.isArray(evidence.top) ? evidence.top.slice(0, 2).map(driverBrief) : [];
  const fields = [...FIRST, ...Object.keys(evidence).filter((field) => !FIRST.includes(field))];
  const facts = fields
    .filter((field) => !SPEAKING.includes(field) && !DULL.test(field))
    .map((field) => factBrief(field, evidence[field]));
  const line = spoken.map((text) => text.replaceAll("_", " ")).join(", ");
  const parts = [line === "" ? "" : sentence(line), ...drivers, ...facts].filter((part) => part !== "");
  return parts.slice(0, facts_max).join(" · ");
}

/** One scalar of evidence, or "" where it is a structure. */
export function factBrief(field: string, value: unknown): string {
  const { words, unit } = nameAndUnit(field);
  if (field === "year") return `${words} ${value}`;
  if (typeof value === "number") return `${words} ${quantity(value, unit)}`;
  if (typeof value === "boolean") return value ? words : `not ${words}`;
  if (typeof value === "string" && value !== "" && value.length <= 40) {
    return `${words} ${/^\d{4}-\d\d-\d\dT/.test(value) ? instant(Date.parse(value)) : value.replaceAll("_", " ")}`;
  }
  return "";
}

function driverBrief(driver: unknown): string {
  if (typeof driver !== "object" || driver === null) return "";
  const row = driver as Record<string, unknown>;
  const name = [row.feature, row.channel, row.name].find((value) => typeof value === "string");
  if (typeof name !== "string") return "";
  const { words, unit } = nameAndUnit(name);
  const observed = typeof row.observed === "number" ? ` ${quantity(row.observed, unit)}` : "";
  const expected = typeof row.expected === "number" ? `, expected ${quantity(row.expected, unit)}` : "";
  return `${words}${observed}${expected}`;
}
