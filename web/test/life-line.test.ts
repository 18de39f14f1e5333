import { expect, test } from "vitest";
import { placed, readLife, span, years } from "../src/life-line.ts";

const NOW = Date.UTC(2026, 5, 1);
const LIFE = {
  stage: "on_lease",
  stages: [
    {
      stage: "delivered",
      valid_from: "2020-06-01T00:00:00Z",
      valid_to: "2021-06-01T00:00:00Z",
      because: "manufacturer_delivery",
    },
    { stage: "on_lease", valid_from: "2021-06-01T00:00:00Z", valid_to: null, because: "lease_delivery" },
  ],
  lease_periods: [
    {
      lease_id: "l",
      lessee_name: "Northern Bulk",
      form: "bareboat",
      head: true,
      in_force: true,
      valid_from: "2021-06-01T00:00:00Z",
      valid_to: null,
      term_to: "2028-06-01T00:00:00Z",
      days_to_redelivery: 731,
      use: { distance_nm: 12, coverage: 0.8, is_estimate: true, flight_h: null },
    },
  ],
  milestones: [{ kind: "lease_delivery", at: "2021-06-01T00:00:00Z", words: "reported", days_late: null }],
};

test("a life is read with its lease in force and the use inside it", () => {
  const life = readLife(LIFE);
  expect(life.stages.map((each) => each.label)).toEqual(["delivered", "on_lease"]);
  expect(life.leases[0]).toMatchObject({
    label: "Northern Bulk",
    in_force: true,
    days_to_redelivery: 731,
    use: { distance_nm: 12, flight_h: null, is_estimate: true },
  });
});

test("whatever is not the expected shape is left out, never an exception", () => {
  for (const odd of [
    null,
    3,
    "x",
    [],
    {},
    { stages: 3, milestones: [null, { at: "x" }], lease_periods: [null] },
  ])
    expect(readLife(odd).stages).toEqual([]);
});

test("the line reaches from the first known instant to the promised end", () => {
  expect(span(readLife(LIFE), NOW)).toEqual([Date.UTC(2020, 5, 1), Date.UTC(2028, 5, 1)]);
  expect(span(readLife({}), NOW)[1]).toBe(NOW);
});

test("pieces lie end to end, and an open one lasts until now", () => {
  const life = readLife(LIFE);
  const [first, second] = placed(life.stages, span(life, NOW), NOW);
  expect(first?.left_pct).toBe(0);
  expect(second?.left_pct).toBeCloseTo((first?.left_pct ?? 0) + (first?.width_pct ?? 0));
  expect((second?.left_pct ?? 0) + (second?.width_pct ?? 0)).toBeCloseTo(75, 0);
});

test("few enough years are written, each where it begins", () => {
  expect(years([Date.UTC(2020, 5, 1), Date.UTC(2024, 5, 1)]).map((each) => each.year)).toEqual([
    2021, 2022, 2023, 2024,
  ]);
  expect(years([Date.UTC(1990, 0, 1), Date.UTC(2026, 0, 1)]).length).toBeLessThanOrEqual(12);
});
