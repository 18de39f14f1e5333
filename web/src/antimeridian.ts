// Cuts polygons and lines at 180°. Natural Earth, once stitched into topology, has polygons that run across the
// antimeridian (Russia, Fiji) and one that winds round a pole (Antarctica); drawn as they are they smear across
// the whole map. Knows longitudes and latitudes in degrees, nothing of maps.

import type { MultiLineString, MultiPolygon, Position } from "geojson";

/** Any polygonal geometry, reduced to its list of polygons. */
export type Polygons = Position[][][];

/** Cuts every polygon so that each piece lies within [-180, 180] and no edge jumps across. */
export function cutPolygons(polygons: Polygons): MultiPolygon {
  return { type: "MultiPolygon", coordinates: polygons.flatMap(cutPolygon) };
}

/** Cuts lines where they cross 180°, adding the crossing point on both sides; pieces of one point are dropped. */
export function cutLines(lines: Position[][]): MultiLineString {
  return { type: "MultiLineString", coordinates: lines.flatMap(cutLine) };
}

function cutPolygon(rings: Position[][]): Polygons {
  const outer = closeOverPole(unwrap(rings[0] ?? []));
  if (outer.length < 4) return [];
  const [west, east] = span(outer);
  const holes = rings.slice(1).map((ring) => shiftInto(closeOverPole(unwrap(ring)), west, east));
  const pieces: Polygons = [];
  for (let turn = Math.floor((west + 180) / 360); turn * 360 - 180 < east; turn++) {
    const low = turn * 360 - 180;
    const cut = clipToBand(outer, low, low + 360);
    if (cut.length < 4) continue;
    const cutHoles = holes.map((hole) => clipToBand(hole, low, low + 360)).filter((hole) => hole.length >= 4);
    pieces.push([cut, ...cutHoles].map((ring) => shifted(ring, -turn * 360)));
  }
  return pieces;
}

function cutLine(line: Position[]): Position[][] {
  const pieces: Position[][] = [];
  let piece: Position[] = [];
  for (const point of line) {
    const before = piece[piece.length - 1];
    if (before && Math.abs(lon(point) - lon(before)) > 180) {
      const edge = lon(before) > 0 ? 180 : -180;
      const there = lon(point) + 2 * edge; // the same place, on this side
      const part = there === lon(before) ? 0 : (edge - lon(before)) / (there - lon(before));
      const lat_deg = lat(before) + part * (lat(point) - lat(before));
      pieces.push([...piece, [edge, lat_deg]]);
      piece = [[-edge, lat_deg]];
    }
    piece.push(point);
  }
  pieces.push(piece);
  return pieces.filter((each) => each.length > 1);
}

/** Makes longitudes continuous: no step between neighbours exceeds 180°, at the price of leaving [-180, 180]. */
function unwrap(ring: Position[]): Position[] {
  let offset = 0;
  return ring.map((point, i) => {
    const before = ring[i - 1];
    if (before) {
      const step = lon(point) - lon(before);
      if (step > 180) offset -= 360;
      else if (step < -180) offset += 360;
    }
    return [lon(point) + offset, lat(point)];
  });
}

/** A ring whose ends lie a whole turn apart winds round a pole; it is closed along that pole's edge. */
function closeOverPole(ring: Position[]): Position[] {
  const first = ring[0];
  const last = ring[ring.length - 1];
  if (!first || !last || Math.abs(lon(last) - lon(first)) < 180) return ring;
  const mean = ring.reduce((sum, point) => sum + lat(point), 0) / ring.length;
  const pole = mean < 0 ? -90 : 90;
  return [...ring, [lon(last), pole], [lon(first), pole], first];
}

/** Moves a hole by whole turns until its middle lies within its outer ring's span. */
function shiftInto(ring: Position[], west: number, east: number): Position[] {
  const [low, high] = span(ring);
  const middle = (low + high) / 2;
  if (middle < west) return shifted(ring, 360);
  return middle > east ? shifted(ring, -360) : ring;
}

/** Clips a ring to a band of longitudes (Sutherland and Hodgman 1974, against two half-planes). */
function clipToBand(ring: Position[], low: number, high: number): Position[] {
  return clip(clip(ring, low, 1), high, -1);
}

function clip(ring: Position[], edge: number, side: 1 | -1): Position[] {
  const kept: Position[] = [];
  for (let i = 0; i + 1 < ring.length; i++) {
    const here = ring[i] as Position;
    const next = ring[i + 1] as Position;
    const hereIn = (lon(here) - edge) * side >= 0;
    const nextIn = (lon(next) - edge) * side >= 0;
    if (hereIn) kept.push(here);
    if (hereIn !== nextIn) {
      const part = (edge - lon(here)) / (lon(next) - lon(here));
      kept.push([edge, lat(here) + part * (lat(next) - lat(here))]);
    }
  }
  const first = kept[0];
  return first ? [...kept, first] : [];
}

function shifted(ring: Position[], by_deg: number): Position[] {
  return by_deg === 0 ? ring : ring.map((point) => [lon(point) + by_deg, lat(point)]);
}

function span(ring: Position[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const point of ring) {
    low = Math.min(low, lon(point));
    high = Math.max(high, lon(point));
  }
  return [low, high];
}

function lon(point: Position): number {
  return point[0] as number;
}

function lat(point: Position): number {
  return point[1] as number;
}
