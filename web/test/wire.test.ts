import { expect, test } from "vitest";
import { Fleet } from "../src/fleet.ts";
import { readAlert, readAsset, readState, readTelemetry, readTrack } from "../src/wire.ts";

const STATE = {
  asset_id: "a",
  time: "2026-01-01T00:00:10Z",
  age_s: 4,
  position: { type: "Point", coordinates: [4.5, 51.9] },
  speed: { value: 12.5, unit: "kn" },
  course_deg: 90,
  altitude: null,
  weight: null,
  reason: { weight: "no_displacement_model" },
};

test("the age counts from when the answer arrived", () => {
  const state = readState(STATE, 1_000_000);
  expect(state).toMatchObject({
    heard_ms: 996_000,
    lon_deg: 4.5,
    lat_deg: 51.9,
    weight_reason: "no_displacement_model",
  });
});

test("whatever is not the expected shape is null, never an exception", () => {
  for (const odd of [null, 3, "x", [], {}, { asset_id: null }]) expect(readState(odd, 0)).toBeNull();
  expect(readState({ asset_id: "a", position: { coordinates: ["x", 1] }, speed: "fast" }, 0)).toMatchObject({
    lon_deg: null,
    lat_deg: null,
    speed: null,
  });
  expect(readAlert({ id: "1" })).toBeNull();
});

test("alerts of one incident stand together behind its worst", () => {
  const fleet = new Fleet();
  const raised = (id: string, severity: string, incident_id: string | null, minute: number) =>
    readAlert({ id, rule: "gap", severity, incident_id, opened_at: `2026-01-01T00:0${minute}:00Z` });
  const all = [
    raised("a", "warning", "one", 1),
    raised("b", "warning", "two", 2),
    raised("c", "critical", "one", 3),
    raised("d", "warning", null, 4),
  ];
  fleet.setOpenAlerts(all.flatMap((alert) => alert ?? []));
  expect(fleet.sortedAlerts().map((alert) => alert.id)).toEqual(["c", "a", "d", "b"]);
});

test("an asset without a name is called by its first identifier", () => {
  const identifiers = [{ scheme: "imo", value: "9321483" }];
  expect(readAsset({ id: 7, class: "vessel", name: "", identifiers })).toMatchObject({
    id: "7",
    name: "imo 9321483",
  });
});

test("buckets are numbers or statistics, and a gap stays a gap", () => {
  const items = [
    { time: "2026-01-01T00:01:00Z", sog_kn: { min: 1, mean: 2, max: 3 } },
    { time: "2026-01-01T00:00:00Z", sog_kn: 5, me_rpm: null },
    { time: "2026-01-01T00:02:00Z", sog_kn: null },
  ];
  const { time_s, fields } = readTelemetry({ fields: ["sog_kn"], items });
  expect(time_s.map((at_s) => at_s % 3600)).toEqual([0, 60, 120]);
  expect([...fields]).toEqual([["sog_kn", [5, 2, null]]]);
});

test("a track is one line or several", () => {
  const line = [
    [1, 2],
    [3, 4],
  ];
  expect(readTrack({ geometry: { type: "LineString", coordinates: line } })).toEqual([line]);
  expect(readTrack({ geometry: { type: "MultiLineString", coordinates: [line, line] } })).toEqual([
    line,
    line,
  ]);
  expect(readTrack({ geometry: null })).toEqual([]);
});

test("an older state never replaces a newer one, and a newer one replaces it whole", () => {
  const fleet = new Fleet();
  fleet.takeState(STATE, 0);
  fleet.takeState({ asset_id: "a", time: "2026-01-01T00:00:05Z", course_deg: 10 }, 0);
  expect(fleet.states.get("a")?.course_deg).toBe(90);
  fleet.takeState({ asset_id: "a", time: "2026-01-01T00:00:20Z", course_deg: 95 }, 0);
  expect(fleet.states.get("a")).toMatchObject({ course_deg: 95, lon_deg: null, speed: null });
});

test("an alert leaves the list when it is closed and never returns at a lower revision", () => {
  const fleet = new Fleet();
  const alert = { id: "1", rule: "gap", severity: "warning", asset_id: "a", revision: 1 };
  fleet.takeAlert({ ...alert, status: "open" });
  expect(fleet.worst().get("a")).toBe("warning");
  fleet.takeAlert({ ...alert, status: "acknowledged", severity: "critical", revision: 3 });
  fleet.takeAlert({ ...alert, status: "open", revision: 2 });
  expect(fleet.alerts.get("1")).toMatchObject({ status: "acknowledged", severity: "critical" });
  fleet.takeAlert({ ...alert, status: "resolved", revision: 4 });
  expect([...fleet.alerts.keys(), ...fleet.worst().keys()]).toEqual([]);
});
