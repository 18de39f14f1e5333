import type { Position } from "geojson";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import { expect, test } from "vitest";
import land110 from "world-atlas/land-110m.json" with { type: "json" };
import { cutLines, cutPolygons, type Polygons } from "../src/antimeridian.ts";

function box(west: number, south: number, east: number, north: number): Position[] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
}

function longestStep(ring: Position[]): number {
  return Math.max(...ring.slice(1).map((point, i) => Math.abs((point[0] ?? 0) - (ring[i]?.[0] ?? 0))));
}

/** Square degrees by the shoelace formula, without sign. */
function area(ring: Position[]): number {
  const twice = ring.slice(1).reduce((sum, [x = 0, y = 0], i) => {
    const [px = 0, py = 0] = ring[i] ?? [];
    return sum + px * y - x * py;
  }, 0);
  return Math.abs(twice / 2);
}

test("a polygon away from 180° stays as it is", () => {
  const ring = box(10, 50, 20, 60);
  expect(cutPolygons([[ring]]).coordinates.map(([outer]) => area(outer ?? []))).toEqual([100]);
});

test("a polygon across 180° becomes one piece on each side, together as large", () => {
  const across: Position[] = [
    [170, 0],
    [-170, 0],
    [-170, 10],
    [170, 10],
    [170, 0],
  ];
  const { coordinates } = cutPolygons([[across]]);
  expect(coordinates).toHaveLength(2);
  const lons = coordinates.map(([outer]) => (outer ?? []).map(([lon = 0]) => lon));
  expect(lons.map((each) => [Math.min(...each), Math.max(...each)])).toEqual([
    [170, 180],
    [-180, -170],
  ]);
  expect(coordinates.reduce((sum, [outer]) => sum + area(outer ?? []), 0)).toBeCloseTo(200);
});

test("a hole across 180° is cut with its polygon", () => {
  const outer: Position[] = [
    [160, -20],
    [-160, -20],
    [-160, 20],
    [160, 20],
    [160, -20],
  ];
  const hole: Position[] = [
    [-175, -5],
    [175, -5],
    [175, 5],
    [-175, 5],
    [-175, -5],
  ];
  const { coordinates } = cutPolygons([[outer, hole]]);
  expect(coordinates.map((rings) => rings.length)).toEqual([2, 2]);
  expect(coordinates.map((rings) => area(rings[1] ?? []))).toEqual([50, 50]);
});

test("a ring round the south pole is closed along the pole", () => {
  const ring: Position[] = [
    [-180, -70],
    [-90, -70],
    [0, -70],
    [90, -70],
    [180, -70],
  ];
  const { coordinates } = cutPolygons([[ring]]);
  expect(coordinates.reduce((sum, [outer]) => sum + area(outer ?? []), 0)).toBeCloseTo(360 * 20);
});

test("no piece of Natural Earth's land leaves the map or jumps across it", () => {
  const atlas = land110 as unknown as Topology<{ land: GeometryCollection }>;
  const polygons = feature(atlas, atlas.objects.land).features.flatMap(({ geometry }): Polygons => {
    return geometry.type === "MultiPolygon" ? geometry.coordinates : [];
  });
  expect(polygons.length).toBeGreaterThan(100);
  expect(polygons.some(([outer]) => longestStep(outer ?? []) > 180)).toBe(true);
  const pieces = cutPolygons(polygons).coordinates;
  for (const [outer = []] of pieces) {
    expect(Math.max(...outer.map(([lon = 0]) => Math.abs(lon)))).toBeLessThanOrEqual(180);
    const jumps = outer.filter(
      (point, i) => Math.abs((point[0] ?? 0) - (outer[i - 1]?.[0] ?? point[0] ?? 0)) > 180,
    );
    expect(jumps.every(([, lat]) => lat === -90)).toBe(true); // only along the pole, where Antarctica is closed
  }
});

test("a line across 180° is cut where it crosses, in both directions", () => {
  expect(
    cutLines([
      [
        [170, 0],
        [-170, 20],
      ],
    ]).coordinates,
  ).toEqual([
    [
      [170, 0],
      [180, 10],
    ],
    [
      [-180, 10],
      [-170, 20],
    ],
  ]);
  expect(
    cutLines([
      [
        [-170, 20],
        [170, 0],
      ],
    ]).coordinates,
  ).toEqual([
    [
      [-170, 20],
      [-180, 10],
    ],
    [
      [180, 10],
      [170, 0],
    ],
  ]);
});

test("a line of one point cannot be drawn and is dropped", () => {
  expect(cutLines([[[1, 1]], []]).coordinates).toEqual([]);
});
