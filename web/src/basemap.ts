// The offline base map: Natural Earth's countries at 1:50 million from the npm package world-atlas, served with the
// page, cut at 180°, and the style that draws it. No tiles, sprites, fonts or glyphs are asked of anyone: without a
// `glyphs` address MapLibre draws text from the machine's own fonts.

import type { Feature, FeatureCollection, MultiLineString, Point, Position } from "geojson";
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import atlasUrl from "world-atlas/countries-50m.json?url";
import { cutLines, cutPolygons, type Polygons } from "./antimeridian.ts";
import type { Palette } from "./palette.ts";

type Atlas = Topology<{ countries: GeometryCollection<{ name: string }>; land: GeometryCollection }>;

/** Everything the base map draws, ready for GeoJSON sources. */
export interface Basemap {
  land: FeatureCollection;
  coast: MultiLineString;
  borders: MultiLineString;
  graticule: MultiLineString;
  places: FeatureCollection<Point, { name: string; kind: string; weight: number }>;
}

/** Names of waters, from the sheet of any atlas; Natural Earth's countries carry none. */
const WATERS: readonly (readonly [name: string, lon_deg: number, lat_deg: number])[] = [
  ["North Atlantic Ocean", -42, 34],
  ["South Atlantic Ocean", -14, -26],
  ["North Pacific Ocean", -150, 32],
  ["South Pacific Ocean", -120, -30],
  ["North Pacific Ocean", 165, 24],
  ["Indian Ocean", 80, -22],
  ["Southern Ocean", 40, -58],
  ["Arabian Sea", 64, 15],
  ["Bay of Bengal", 88.5, 14],
  ["South China Sea", 114, 13],
  ["Philippine Sea", 133, 20],
  ["Coral Sea", 156, -17],
  ["Tasman Sea", 160, -38],
  ["Mediterranean Sea", 18.5, 34.6],
  ["North Sea", 3.2, 56.4],
  ["Norwegian Sea", 2, 68],
  ["Caribbean Sea", -75, 14.8],
  ["Gulf of Mexico", -90, 25],
  ["Bering Sea", -178, 58],
];

export async function loadBasemap(): Promise<Basemap> {
  const answer = await fetch(atlasUrl);
  if (!answer.ok) throw new Error(`the base map could not be loaded (${answer.status})`);
  const atlas = (await answer.json()) as Atlas;
  const { countries } = atlas.objects;
  const land = feature(atlas, atlas.objects.land);
  return {
    land: {
      type: "FeatureCollection",
      features: land.features.map((each) => asFeature(cutPolygons(polygonsOf(each)))),
    },
    coast: cutLines(mesh(atlas, countries, (a, b) => a === b).coordinates),
    borders: cutLines(mesh(atlas, countries, (a, b) => a !== b).coordinates),
    graticule: graticule(15),
    places: { type: "FeatureCollection", features: [...waters(), ...countryNames(atlas)] },
  };
}

function polygonsOf(each: Feature): Polygons {
  if (each.geometry.type === "Polygon") return [each.geometry.coordinates];
  return each.geometry.type === "MultiPolygon" ? each.geometry.coordinates : [];
}

function asFeature<G extends GeoJSON.Geometry>(geometry: G): Feature<G, Record<string, never>> {
  return { type: "Feature", properties: {}, geometry };
}

function waters(): Basemap["places"]["features"] {
  return WATERS.map(([name, lon_deg, lat_deg], i) => placed(name, "water", [lon_deg, lat_deg], i));
}

/** A country's name stands in the middle of its largest piece; the larger that is, the earlier the name appears. */
function countryNames(atlas: Atlas): Basemap["places"]["features"] {
  return feature(atlas, atlas.objects.countries).features.flatMap((country) => {
    const pieces = cutPolygons(polygonsOf(country)).coordinates.map((rings) => box(rings[0] ?? []));
    const largest = pieces.sort((a, b) => b.area - a.area)[0];
    if (!largest || country.properties.name === "Antarctica") return [];
    return [placed(country.properties.name, "country", largest.middle, -largest.area)];
  });
}

function placed(
  name: string,
  kind: string,
  at: Position,
  weight: number,
): Basemap["places"]["features"][number] {
  return {
    type: "Feature",
    properties: { name, kind, weight },
    geometry: { type: "Point", coordinates: at },
  };
}

/** The centroid of a ring and its area in square degrees (shoelace), which is close enough to place a name. */
function box(ring: Position[]): { area: number; middle: Position } {
  let twice = 0;
  let x = 0;
  let y = 0;
  for (let i = 0; i + 1 < ring.length; i++) {
    const [ax = 0, ay = 0] = ring[i] ?? [];
    const [bx = 0, by = 0] = ring[i + 1] ?? [];
    const cross = ax * by - bx * ay;
    twice += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  if (twice === 0) return { area: 0, middle: ring[0] ?? [0, 0] };
  return { area: Math.abs(twice / 2), middle: [x / (3 * twice), y / (3 * twice)] };
}

function graticule(every_deg: number): MultiLineString {
  const lines: Position[][] = [];
  for (let lon_deg = -180; lon_deg < 180; lon_deg += every_deg) {
    lines.push([
      [lon_deg, -85],
      [lon_deg, 85],
    ]);
  }
  for (let lat_deg = -75; lat_deg <= 75; lat_deg += every_deg) {
    lines.push([
      [-180, lat_deg],
      [180, lat_deg],
    ]);
  }
  return { type: "MultiLineString", coordinates: lines };
}

/** The style of the base map alone; map.ts lays the fleet over it. */
export function baseStyle(map: Basemap, colours: Palette): StyleSpecification {
  const source = (data: GeoJSON.GeoJSON, tolerance_px = 0.375) => {
    return { type: "geojson" as const, data, tolerance: tolerance_px };
  };
  return {
    version: 8,
    sources: {
      land: source(map.land),
      coast: source(map.coast),
      // A soft glow needs no capes: simplified, it costs a third, which is felt where WebGL is software.
      shelf: source(map.coast, 4),
      borders: source(map.borders),
      graticule: source(map.graticule),
      places: source(map.places),
    },
    layers: [...shapeLayers(colours), ...nameLayers(colours)],
  };
}

function shapeLayers(colours: Palette): LayerSpecification[] {
  // Widening, ever fainter strokes under the land stand for shelf and depth.
  const shelf = [24, 10].map(
    (width, i): LayerSpecification => ({
      id: `shelf-${i}`,
      type: "line",
      source: "shelf",
      layout: { "line-join": "round" },
      paint: {
        "line-color": colours.shelf,
        "line-opacity": [0.2, 0.28][i] ?? 0.1,
        "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 1, width * 0.5, 8, width * 3],
        "line-blur": ["interpolate", ["exponential", 1.6], ["zoom"], 1, width * 0.3, 8, width * 1.6],
      },
    }),
  );
  return [
    { id: "sea", type: "background", paint: { "background-color": colours.sea } },
    ...shelf,
    {
      id: "graticule",
      type: "line",
      source: "graticule",
      paint: { "line-color": colours.graticule, "line-width": 0.8 },
    },
    {
      id: "land",
      type: "fill",
      source: "land",
      paint: { "fill-color": colours.land, "fill-antialias": false },
    },
    {
      id: "borders",
      type: "line",
      source: "borders",
      paint: { "line-color": colours.border, "line-width": 0.8 },
    },
    { id: "coast", type: "line", source: "coast", paint: { "line-color": colours.coast, "line-width": 0.8 } },
  ];
}

function nameLayers(colours: Palette): LayerSpecification[] {
  return [
    {
      id: "water-names",
      type: "symbol",
      source: "places",
      filter: ["==", ["get", "kind"], "water"],
      layout: {
        "text-field": ["get", "name"],
        "text-font": ["Georgia Italic", "serif"],
        "text-size": ["interpolate", ["linear"], ["zoom"], 1, 10.5, 6, 17],
        "text-letter-spacing": 0.16,
        "text-max-width": 7,
        "symbol-sort-key": ["get", "weight"],
      },
      paint: { "text-color": colours.seaText },
    },
    {
      id: "country-names",
      type: "symbol",
      source: "places",
      minzoom: 2.2,
      filter: ["==", ["get", "kind"], "country"],
      layout: {
        "text-field": ["upcase", ["get", "name"]],
        "text-font": ["system-ui", "sans-serif"],
        "text-size": ["interpolate", ["linear"], ["zoom"], 2, 9, 6, 13],
        "text-letter-spacing": 0.12,
        "text-max-width": 8,
        "text-padding": 6,
        "symbol-sort-key": ["get", "weight"],
      },
      paint: { "text-color": colours.placeText, "text-halo-color": colours.land, "text-halo-width": 1.2 },
    },
  ];
}
