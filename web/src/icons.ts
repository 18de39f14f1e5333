// Ship, aircraft and other marks, drawn once on a canvas for each class and severity. They point north, so that the
// map turns them by course. A filled shape with an outline in the sea's colour reads on land and water alike.

import type { Palette } from "./palette.ts";

export const SHAPES = ["vessel", "vessel-still", "aircraft", "other"] as const;
export type Shape = (typeof SHAPES)[number];
export const LEVELS = ["none", "info", "warning", "critical"] as const;

/** Outlines in a box of 26 about the origin, bow and nose up. */
const PATHS: Readonly<Record<Shape, string>> = {
  vessel:
    "M0 -11 C2.6 -7.6 4.1 -4.4 4.1 -0.6 L4.1 8.2 Q4.1 9.6 2.7 9.6 L-2.7 9.6 Q-4.1 9.6 -4.1 8.2 L-4.1 -0.6 C-4.1 -4.4 -2.6 -7.6 0 -11 Z",
  "vessel-still": "M0 -6 L6 0 L0 6 L-6 0 Z",
  aircraft:
    "M0 -11.5 C1.1 -11.5 1.7 -9.6 1.7 -7.8 L1.7 -3.4 L11 2.6 L11 4.9 L1.7 2.2 L1.3 7.4 L4.2 9.7 L4.2 11.4 L0 10.2 L-4.2 11.4 L-4.2 9.7 L-1.3 7.4 L-1.7 2.2 L-11 4.9 L-11 2.6 L-1.7 -3.4 L-1.7 -7.8 C-1.7 -9.6 -1.1 -11.5 0 -11.5 Z",
  other: "M-5 -7 L5 -7 L5 7 L-5 7 Z",
};

const SIZE_PX = 30;
const RATIO = 2;

export interface Icon {
  name: string;
  image: ImageData;
  pixelRatio: number;
}

/** Every image the fleet layer may name, as `shape:level`. */
export function icons(colours: Palette): Icon[] {
  return SHAPES.flatMap((shape) =>
    LEVELS.map((level) => {
      const plain = shape === "vessel-still" ? colours.vessel : colours[shape];
      const fill = level === "none" ? plain : colours[level];
      return { name: `${shape}:${level}`, image: draw(shape, fill, colours.outline), pixelRatio: RATIO };
    }),
  );
}

function draw(shape: Shape, fill: string, outline: string): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE_PX * RATIO;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("this browser has no 2D canvas");
  pen.scale(RATIO, RATIO);
  pen.translate(SIZE_PX / 2, SIZE_PX / 2);
  pen.lineJoin = "round";
  const path = new Path2D(PATHS[shape]);
  pen.strokeStyle = outline;
  pen.lineWidth = 3;
  pen.stroke(path);
  pen.fillStyle = fill;
  pen.fill(path);
  if (shape === "vessel") {
    pen.fillStyle = outline; // the hatch line tells bow from stern at a glance
    pen.globalAlpha = 0.45;
    pen.fillRect(-1.9, 4.4, 3.8, 1.8);
  }
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** The same shapes for the panels, as SVG that takes the text's colour. */
export function shapeSvg(assetClass: string): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-13 -13 26 26");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[assetClass as Shape] ?? PATHS.other);
  svg.append(path);
  return svg;
}
