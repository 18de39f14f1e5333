// The map: base, fleet, the selected asset's track. Draws what it is given at most once a second and says on the
// document when it has (data-map-ready, data-map-settled, data-vessels-on-map, data-aircraft-on-map). Knows no API.

import type { FeatureCollection, Point, Position } from "geojson";
import {
  AttributionControl,
  type GeoJSONSource,
  type LayerSpecification,
  LngLatBounds,
  Map as MapLibre,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
// Bundled and served with the page: a strict `worker-src 'self'` holds.
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { cutLines } from "./antimeridian.ts";
import { type Basemap, baseStyle, loadBasemap } from "./basemap.ts";
import { type Fleet, FRESH_MS } from "./fleet.ts";
import { icons } from "./icons.ts";
import { onSchemeChange, palette } from "./palette.ts";

setWorkerUrl(workerUrl);

/** Closer than this a click on an asset does not zoom in further. */
const NEAR_ZOOM = 5;
const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };

interface Mark {
  id: string;
  name: string;
  icon: string;
  level: string;
  order: number;
  turn_deg: number;
  fresh: boolean;
}

export class FleetMap {
  readonly #map: MapLibre;
  #marks: FeatureCollection<Point, Mark> = { type: "FeatureCollection", features: [] };
  #track: FeatureCollection = EMPTY;
  #selected: string | null = null;
  #drawn = false;

  private constructor(container: HTMLElement, base: Basemap, onPick: (asset_id: string) => void) {
    this.#map = new MapLibre({
      container,
      style: baseStyle(base, palette()),
      center: [20, 25],
      zoom: 1.4,
      minZoom: 0.6,
      maxZoom: 14,
      dragRotate: false,
      pitchWithRotate: false,
      attributionControl: false,
      fadeDuration: 0,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.keyboard.disableRotation();
    this.#map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.#map.addControl(new ScaleControl({ unit: "nautical" }), "bottom-left");
    this.#map.addControl(
      new AttributionControl({ compact: false, customAttribution: "Natural Earth" }),
      "bottom-right",
    );
    this.#listen(onPick);
    onSchemeChange(() => {
      this.#map.setStyle(baseStyle(base, palette()), { diff: false });
      this.#map.once("style.load", () => this.#dress());
    });
  }

  /** Loads the base map, then resolves once the fleet's layers stand. */
  static async open(container: HTMLElement, onPick: (asset_id: string) => void): Promise<FleetMap> {
    const made = new FleetMap(container, await loadBasemap(), onPick);
    await made.#map.once("load");
    made.#dress();
    return made;
  }

  /** Draws the fleet as it is known at `now_ms`. The first time it also brings all of it into view. */
  draw(fleet: Fleet, now_ms: number): void {
    this.#marks = marks(fleet, now_ms);
    this.#source("fleet")?.setData(this.#marks);
    const root = document.documentElement.dataset;
    const count = (name: string) =>
      this.#marks.features.filter((mark) => mark.properties.icon.startsWith(name)).length;
    root.vesselsOnMap = String(count("vessel"));
    root.aircraftOnMap = String(count("aircraft"));
    if (this.#drawn || this.#marks.features.length === 0) return;
    this.#drawn = true;
    if (this.#selected === null) this.showAll(false);
    this.#map.once("idle", () => {
      root.mapReady = "1";
    });
  }

  showAll(animate = true): void {
    const bounds = new LngLatBounds();
    for (const mark of this.#marks.features) bounds.extend(mark.geometry.coordinates as [number, number]);
    if (bounds.isEmpty()) return;
    const padding = { top: 50, right: 60, left: 50, bottom: 50 };
    this.#map.fitBounds(bounds, { padding, maxZoom: 7, animate });
  }

  /** Marks one asset and flies to it; null lets go. `dock_px` is how much of the map the detail covers. */
  select(asset_id: string | null, dock_px: number): void {
    this.#selected = asset_id;
    for (const [layer, sign] of SELECTION_FILTERS) {
      if (this.#map.getLayer(layer)) this.#map.setFilter(layer, [sign, ["get", "id"], asset_id ?? ""]);
    }
    const mark = this.#marks.features.find((each) => each.properties.id === asset_id);
    if (!mark) {
      this.#map.easeTo({ padding: { top: 0, left: 0, right: 0, bottom: dock_px }, duration: 300 });
      return;
    }
    this.#map.flyTo({
      center: mark.geometry.coordinates as [number, number],
      zoom: Math.max(this.#map.getZoom(), NEAR_ZOOM),
      padding: { top: 0, left: 0, right: 0, bottom: dock_px },
      speed: 1.8,
      maxDuration: 2200,
    });
  }

  /** Shows where the selected asset has been; empty clears. Segments of one point cannot be seen and are left out. */
  setTrack(lines: Position[][]): void {
    this.#track = {
      type: "FeatureCollection",
      features: [{ type: "Feature", properties: {}, geometry: cutLines(lines) }],
    };
    this.#source("track")?.setData(this.#track);
  }

  /** Gives the canvas and its WebGL context back. */
  remove(): void {
    this.#map.remove();
  }

  #source(name: string): GeoJSONSource | undefined {
    return this.#map.getSource(name);
  }

  /** Adds the fleet's images, sources and layers to a fresh style. */
  #dress(): void {
    const colours = palette();
    for (const { name, image, pixelRatio } of icons(colours)) this.#map.addImage(name, image, { pixelRatio });
    this.#map.addSource("track", { type: "geojson", data: this.#track });
    this.#map.addSource("fleet", { type: "geojson", data: this.#marks });
    for (const layer of [...trackLayers(), ...fleetLayers(this.#selected ?? "")]) this.#map.addLayer(layer);
  }

  #listen(onPick: (asset_id: string) => void): void {
    this.#map.on("click", (event) => {
      const { x, y } = event.point;
      const near = this.#map.queryRenderedFeatures(
        [
          [x - 6, y - 6],
          [x + 6, y + 6],
        ],
        { layers: this.#map.getLayer("fleet") ? ["fleet"] : [] },
      );
      const picked = near[0]?.properties.id;
      if (typeof picked === "string") onPick(picked);
    });
    const root = document.documentElement.dataset;
    this.#map.on("movestart", () => {
      root.mapSettled = "0";
    });
    this.#map.on("idle", () => {
      root.mapSettled = "1";
    });
    const canvas = this.#map.getCanvas();
    this.#map.on("mousemove", "fleet", () => {
      canvas.style.cursor = "pointer";
    });
    this.#map.on("mouseleave", "fleet", () => {
      canvas.style.cursor = "";
    });
  }
}

/** Layers that show the selected asset alone, or all but it. */
const SELECTION_FILTERS = [
  ["selected-ring", "=="],
  ["selected-name", "=="],
  ["fleet-names", "!="],
] as const;

const LEVEL_ORDER: Readonly<Record<string, number>> = { none: 0, info: 1, warning: 2, critical: 3 };

function marks(fleet: Fleet, now_ms: number): FeatureCollection<Point, Mark> {
  const worst = fleet.worst();
  const features: FeatureCollection<Point, Mark>["features"] = [];
  for (const state of fleet.states.values()) {
    const asset = fleet.assets.get(state.asset_id);
    if (!asset || state.lon_deg === null || state.lat_deg === null) continue;
    const level = worst.get(asset.id) ?? "none";
    const known = asset.class === "vessel" || asset.class === "aircraft";
    const still = asset.class === "vessel" && state.course_deg === null;
    const shape = still ? "vessel-still" : known ? asset.class : "other";
    features.push({
      type: "Feature",
      geometry: { type: "Point", coordinates: [state.lon_deg, state.lat_deg] },
      properties: {
        id: asset.id,
        name: asset.name,
        icon: `${shape}:${level}`,
        level,
        order: LEVEL_ORDER[level] ?? 0,
        turn_deg: state.course_deg ?? 0,
        fresh: state.heard_ms !== null && now_ms - state.heard_ms <= FRESH_MS,
      },
    });
  }
  return { type: "FeatureCollection", features };
}

function trackLayers(): LayerSpecification[] {
  const colours = palette();
  const round = { "line-join": "round", "line-cap": "round" } as const;
  return [
    {
      id: "track-casing",
      type: "line",
      source: "track",
      layout: round,
      paint: { "line-color": colours.halo, "line-width": 5, "line-opacity": 0.6 },
    },
    {
      id: "track",
      type: "line",
      source: "track",
      layout: round,
      paint: { "line-color": colours.track, "line-width": 2, "line-opacity": 0.9 },
    },
  ];
}

function fleetLayers(selected: string): LayerSpecification[] {
  const colours = palette();
  const bySeverity = (fallback: string) => [
    "match",
    ["get", "level"],
    "critical",
    colours.critical,
    "warning",
    colours.warning,
    "info",
    colours.info,
    fallback,
  ];
  const name = {
    "text-field": ["get", "name"],
    "text-font": ["system-ui", "sans-serif"],
    "text-size": 11.5,
    "text-variable-anchor": ["left", "right", "top", "bottom"],
    "text-radial-offset": 1.15,
    "text-justify": "auto",
  };
  const ink = { "text-color": colours.label, "text-halo-color": colours.halo, "text-halo-width": 1.4 };
  return [
    {
      id: "alert-glow",
      type: "circle",
      source: "fleet",
      filter: [">=", ["get", "order"], 2],
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 1, 12, 8, 22],
        "circle-color": bySeverity(colours.info),
        "circle-opacity": 0.2,
        "circle-stroke-color": bySeverity(colours.info),
        "circle-stroke-width": 1,
        "circle-stroke-opacity": 0.55,
      },
    },
    {
      id: "selected-ring",
      type: "circle",
      source: "fleet",
      filter: ["==", ["get", "id"], selected],
      paint: {
        "circle-radius": 19,
        "circle-color": colours.selected,
        "circle-opacity": 0.06,
        "circle-stroke-color": colours.selected,
        "circle-stroke-width": 1.6,
      },
    },
    {
      id: "fleet",
      type: "symbol",
      source: "fleet",
      layout: {
        "icon-image": ["get", "icon"],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 1, 0.7, 5, 0.95, 9, 1.1],
        "icon-rotate": ["get", "turn_deg"],
        "icon-rotation-alignment": "map",
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "order"],
      },
      paint: { "icon-opacity": ["case", ["get", "fresh"], 1, 0.55] },
    },
    {
      id: "fleet-names",
      type: "symbol",
      source: "fleet",
      minzoom: 4.2,
      filter: ["!=", ["get", "id"], selected],
      layout: name,
      paint: ink,
    },
    {
      id: "selected-name",
      type: "symbol",
      source: "fleet",
      filter: ["==", ["get", "id"], selected],
      layout: { ...name, "text-allow-overlap": true, "text-radial-offset": 1.9 },
      paint: ink,
    },
  ] as LayerSpecification[];
}
