import { expect, test } from "vitest";
import {
  ago,
  course,
  duration,
  evidenceBrief,
  instant,
  nameAndUnit,
  number,
  position,
  quantity,
  ruleTitle,
} from "../src/format.ts";

test("positions read as mariners write them, and rounding never shows sixty minutes", () => {
  expect(position(51.95, 4.0405)).toBe("51°57.00′N 004°02.43′E");
  expect(position(-33.999_999_9, -70.5)).toBe("34°00.00′S 070°30.00′W");
});

test("lengths of time change unit at their edges", () => {
  expect([59.9, 60, 3599, 3600, 172_799, 172_800].map(duration)).toEqual([
    "59 s",
    "1 min",
    "59 min",
    "1 h",
    "47 h",
    "2 d",
  ]);
});

test("an instant ahead of the clock is now, an unknown one a dash", () => {
  expect(ago(2000, 1000)).toBe("now");
  expect(ago(0, 61_000)).toBe("1 min ago");
  expect(ago(null, 0)).toBe("—");
  expect(instant(0)).toBe("1970-01-01 00:00:00 UTC");
});

test("a name gives up the unit at its end, the longest that fits", () => {
  expect(nameAndUnit("fuel_rate_t_h")).toEqual({ words: "fuel rate", unit: "t/h" });
  expect(nameAndUnit("me_exhaust_temp_c")).toEqual({ words: "main engine exhaust temperature", unit: "°C" });
  expect(nameAndUnit("alt_baro_ft")).toEqual({ words: "altitude", unit: "ft" });
  expect(nameAndUnit("neighbours_heard")).toEqual({ words: "neighbours heard", unit: "" });
});

test("numbers carry the digits their size deserves", () => {
  expect([0.0421, 4.256, 42.25, 42_000.4, 17].map(number)).toEqual(["0.042", "4.26", "42.3", "42,000", "17"]);
});

test("quantities join value and unit, and long seconds become hours", () => {
  expect(quantity(12.5, "kn")).toBe("12.5 kn");
  expect(quantity(12, "°")).toBe("12°");
  expect(quantity(119, "s")).toBe("119 s");
  expect(quantity(8140, "s")).toBe("2 h 16 min");
  expect(quantity(2.5, "h")).toBe("2 h 30 min");
  expect(quantity(null, "kn")).toBe("—");
});

test("a course of 360 is north", () => {
  expect([359.6, 4.2, null].map(course)).toEqual(["000°", "004°", "—"]);
});

test("a rule unknown to the page keeps its own name", () => {
  expect(ruleTitle("gap")).toBe("Gone silent");
  expect(ruleTitle("hull_fouling")).toBe("Hull fouling");
});

test("a model's evidence leads with what drove it", () => {
  const top = [{ feature: "me_exhaust_temp_c", observed: 471.2, expected: 382.6 }];
  expect(evidenceBrief({ score: 0.99, top })).toBe("main engine exhaust temperature 471 °C, expected 383 °C");
});

test("a rule's evidence leads with its verdict and leaves coordinates out", () => {
  const evidence = {
    last_lat_deg: 1,
    limit_min: 60,
    verdict: "no_coverage",
    circumstance: "at_sea",
    neighbours_heard: 7,
  };
  expect(evidenceBrief(evidence)).toBe("No coverage, at sea · neighbours heard 7 · limit 1 h");
});

test("evidence without anything to say is an empty line", () => {
  expect(evidenceBrief({ lat_deg: 1, nothing: null, list: [1] })).toBe("");
  expect(evidenceBrief({ year: 2026, rating: "E" })).toBe("year 2026 · rating E");
});
