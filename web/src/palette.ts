// Colours that canvas and WebGL need as values; the rest of the page takes its colours from style.css. One palette
// for each scheme, chosen together with that sheet.

export interface Palette {
  sea: string;
  shelf: string;
  land: string;
  coast: string;
  border: string;
  graticule: string;
  placeText: string;
  seaText: string;
  halo: string;
  label: string;
  outline: string;
  track: string;
  selected: string;
  vessel: string;
  aircraft: string;
  other: string;
  critical: string;
  warning: string;
  info: string;
  axis: string;
  grid: string;
  series: readonly [string, string, string];
}

const DARK: Palette = {
  sea: "#0b1a24",
  shelf: "#2b5c70",
  land: "#1b2a33",
  coast: "#3c5a68",
  border: "#2b3e49",
  graticule: "#183040",
  placeText: "#6f8895",
  seaText: "#3d6478",
  halo: "#0b1a24",
  label: "#d5e2e8",
  outline: "#07121a",
  track: "#7fd4e0",
  selected: "#f2f8fa",
  vessel: "#6fc7d4",
  aircraft: "#b3a8f0",
  other: "#9fb3bd",
  critical: "#ff5d5d",
  warning: "#f5b042",
  info: "#6aa8ff",
  axis: "#7f97a3",
  grid: "#1c303b",
  series: ["#6fc7d4", "#b3a8f0", "#f0b36a"],
};

const LIGHT: Palette = {
  sea: "#cfe0e8",
  shelf: "#f2f9fb",
  land: "#f4f3ee",
  coast: "#9db4bf",
  border: "#d8d7cd",
  graticule: "#bfd3dd",
  placeText: "#7b8a92",
  seaText: "#86a7b6",
  halo: "#f7fafb",
  label: "#1d3440",
  outline: "#ffffff",
  track: "#0d7487",
  selected: "#10242e",
  vessel: "#12798c",
  aircraft: "#5b4bc4",
  other: "#5a6d77",
  critical: "#d3222c",
  warning: "#d17a00",
  info: "#2b6cd4",
  axis: "#5f747e",
  grid: "#e3eaee",
  series: ["#12798c", "#5b4bc4", "#b86a12"],
};

const darkScheme = matchMedia("(prefers-color-scheme: dark)");

export function palette(): Palette {
  return darkScheme.matches ? DARK : LIGHT;
}

/** Calls back when the person's scheme changes. */
export function onSchemeChange(then: () => void): void {
  darkScheme.addEventListener("change", then);
}
