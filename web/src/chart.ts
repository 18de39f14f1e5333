// One uPlot time chart with up to two scales. Knows columns of numbers and field names that end in their unit.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h, setText } from "./dom.ts";
import { nameAndUnit, quantity, sentence } from "./format.ts";
import { onSchemeChange, palette } from "./palette.ts";
import type { Telemetry } from "./wire.ts";

const HEIGHT_PX = 104;
const FONT = "11px system-ui, sans-serif";

export class TimeChart {
  /** What the lines say under the cursor, or last: stands wherever the page puts it. */
  readonly readout = h("p", { class: "readout" });
  #plot: uPlot | null = null;
  #shown: { telemetry: Telemetry; fields: readonly string[]; colour: number } | null = null;

  constructor(readonly element: HTMLElement) {
    new ResizeObserver(() => this.#resize()).observe(element);
    onSchemeChange(() => this.#redraw());
  }

  /** Draws the named fields, the first on the left axis, the second on the right; absent ones are left out. */
  show(telemetry: Telemetry, fields: readonly string[], colour = 0): void {
    const present = fields.filter((field) => telemetry.fields.has(field));
    this.#shown = { telemetry, fields: present, colour };
    this.#redraw();
  }

  /** Says in words why there is no line. */
  say(message: string): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#shown = null;
    this.element.replaceChildren(message);
    this.readout.replaceChildren();
    this.element.classList.add("empty");
  }

  #redraw(): void {
    if (this.#shown === null) return;
    const { telemetry, fields, colour } = this.#shown;
    if (fields.length === 0) {
      this.say("Nothing was read in this period.");
      return;
    }
    this.#plot?.destroy();
    this.element.classList.remove("empty");
    this.element.replaceChildren();
    const swatches = this.#options(fields, colour).series.slice(1);
    const parts = swatches.map(({ label, stroke }) => {
      const swatch = h("i", { style: `background:${stroke}` });
      return h("span", {}, swatch, String(label), h("b"));
    });
    this.readout.replaceChildren(...parts, h("time"));
    const columns = fields.map((field) => telemetry.fields.get(field) ?? []);
    this.#plot = new uPlot(this.#options(fields, colour), [telemetry.time_s, ...columns], this.element);
  }

  #options(fields: readonly string[], colour: number): uPlot.Options {
    const colours = palette();
    const axis = { stroke: colours.axis, font: FONT, ticks: { show: false } };
    const sides = fields.map((field, i): uPlot.Axis => {
      const { unit } = nameAndUnit(field);
      return {
        ...axis,
        scale: field,
        side: i === 0 ? 3 : 1,
        size: 58,
        gap: 4,
        space: 28,
        grid: { show: i === 0, stroke: colours.grid, width: 1 },
        values: (_plot, ticks) =>
          ticks.map((tick, n) =>
            n === ticks.length - 1 ? quantity(tick, unit) : tick.toLocaleString("en-GB"),
          ),
      };
    });
    return {
      width: Math.max(120, this.element.clientWidth),
      height: HEIGHT_PX,
      tzDate: (at_s) => uPlot.tzDate(new Date(at_s * 1000), "Etc/UTC"),
      padding: [8, fields.length > 1 ? 0 : 12, 0, 0],
      legend: { show: false },
      scales: Object.fromEntries(fields.map((field) => [field, { range: honestRange }])),
      hooks: { setCursor: [(plot) => this.#read(plot)], ready: [(plot) => this.#read(plot)] },
      cursor: { y: false, points: { size: 6 } },
      axes: [
        { ...axis, size: 22, gap: 2, grid: { stroke: colours.grid, width: 1 }, values: utcTicks },
        ...sides,
      ],
      series: [
        { label: "UTC", value: "{HH}:{mm}" },
        ...fields.map((field, i) => line(field, colours.series[(i + colour) % 3] ?? colours.track)),
      ],
    };
  }

  #read(plot: uPlot): void {
    const time_s = plot.data[0];
    const at = plot.cursor.idx ?? time_s.length - 1;
    for (const [i, value] of this.readout.querySelectorAll("b").entries()) {
      const { unit } = nameAndUnit(plot.series[i + 1]?.scale ?? "");
      setText(value, quantity(plot.data[i + 1]?.[at] ?? null, unit));
    }
    const clock = this.readout.querySelector("time");
    const at_s = time_s[at];
    if (clock && at_s !== undefined)
      setText(clock, `${new Date(at_s * 1000).toISOString().slice(11, 16)} UTC`);
  }

  #resize(): void {
    const width = this.element.clientWidth;
    if (this.#plot && width > 0 && Math.abs(width - this.#plot.width) > 1) {
      this.#plot.setSize({ width, height: HEIGHT_PX });
    }
  }
}

function line(field: string, stroke: string): uPlot.Series {
  return {
    label: sentence(nameAndUnit(field).words),
    scale: field,
    stroke,
    width: 1.5,
    spanGaps: false,
  };
}

/** A scale never narrower than a twentieth of its values (chosen): noise must not look like news. */
function honestRange(_plot: uPlot, low: number, high: number): [number, number] {
  const least = Math.max(Math.abs(low), Math.abs(high)) / 20 || 1;
  const lacking = Math.max(0, least - (high - low)) / 2;
  const margin = (high - low) * 0.08;
  return [low - lacking - margin, high + lacking + margin];
}

/** The day where the step is days, else hours and minutes, in UTC as everywhere on the page. */
function utcTicks(_plot: uPlot, ticks: number[]): string[] {
  const step_s = (ticks[1] ?? 0) - (ticks[0] ?? 0);
  return ticks.map((at_s) => {
    const text = new Date(at_s * 1000).toISOString();
    if (step_s >= 86_400) return text.slice(5, 10);
    return step_s < 60 ? text.slice(11, 19) : text.slice(11, 16);
  });
}
