import { draw } from "../shell/dom.ts";
import type { Pair, Place } from "../worker/story/story-requests.ts";

/** Loss at the top of the picture, in nats, if nothing is higher: that of a network that guesses is 2.3. */
const TOP = 2.5;

/** Space above and below the picture for names. */
const ABOVE = 22;
const BELOW = 22;

/** Half the width of the slider's thumb: its middle is over the place that it stands for. */
const THUMB = 8;

/** Contours inside a ridge, as shares of its height. */
const LEVELS = [0.8, 0.6, 0.4, 0.2];

/** Losses of both networks while they are trained. */
export interface TrainingPicture {
  readonly kind: "training";
  /** Number of steps of the whole training. */
  readonly steps: number;
  /** Steps with the losses after them, of each network. */
  readonly losses: Pair<readonly (readonly [number, number])[]>;
}

/** Losses on the line between the networks. */
export interface LinePicture {
  readonly kind: "line";
  /** Losses of the line that is shown, as many as were measured so far. */
  readonly shown: readonly Place[];
  /** Losses of the line as trained, if another one is shown. */
  readonly ghost: readonly Place[] | undefined;
  /** Whether the shown line goes to the aligned B. */
  readonly aligned: boolean;
  /** Place of the thumb; undefined while the line is measured. */
  readonly here: Place | undefined;
  /** Name of what the line shows, and its words. */
  readonly name: string;
}

/** A picture of losses. */
export type LandPicture = TrainingPicture | LinePicture;

/** The picture of the land between the networks. */
export interface Land {
  show(picture: LandPicture, description: string): void;
}

/** Draws losses into an element, and again if its size changes. */
export function createLand(element: HTMLElement, rail: HTMLElement): Land {
  let last: { readonly picture: LandPicture; readonly description: string } | undefined;
  let size: Size | undefined;
  const measure = (): Size => ({
    width: element.clientWidth,
    height: element.clientHeight,
    side: Number.parseFloat(getComputedStyle(rail).paddingLeft) + THUMB,
  });
  const render = () => {
    // A picture that was taken off the page has no size.
    if (last === undefined || !element.isConnected) return;
    size ??= measure();
    const scales = createScales(size, last.picture);
    const svg = draw("svg", { role: "img", "aria-label": last.description }, gradient(), ...axis(scales));
    const parts = last.picture.kind === "training" ? drawTraining : drawLine;
    svg.append(...parts(last.picture as never, scales));
    element.replaceChildren(svg);
  };
  new ResizeObserver(() => {
    size = undefined;
    render();
  }).observe(element);
  return {
    show(picture, description) {
      last = { picture, description };
      render();
    },
  };
}

/** Size of the element, and the space to the left and right of the line. */
interface Size {
  readonly width: number;
  readonly height: number;
  readonly side: number;
}

/** Where things stand in the picture. */
interface Scales {
  /** Horizontal place of a share of the way. */
  readonly x: (share: number) => number;
  /** Vertical place of a loss. */
  readonly y: (loss: number) => number;
  readonly top: number;
  readonly left: number;
  readonly right: number;
}

function createScales({ width, height, side }: Size, picture: LandPicture): Scales {
  const highest =
    picture.kind === "line"
      ? Math.max(...[...picture.shown, ...(picture.ghost ?? [])].map((p) => p.loss))
      : 0;
  const top = Math.max(TOP, 1.12 * highest);
  const ground = height - BELOW;
  return {
    top,
    left: side,
    right: width - side,
    x: (share) => side + share * (width - 2 * side),
    y: (loss) => ground - (Math.min(loss, top) / top) * (ground - ABOVE),
  };
}

function gradient(): SVGElement {
  return draw(
    "defs",
    {},
    draw(
      "linearGradient",
      { id: "from-a-to-b", gradientUnits: "userSpaceOnUse", x1: "0%", x2: "100%", y1: 0, y2: 0 },
      draw("stop", { offset: 0.1, class: "stop-a" }),
      draw("stop", { offset: 0.9, class: "stop-b" }),
    ),
  );
}

function axis({ top, left, right, y }: Scales): SVGElement[] {
  const ticks = Array.from({ length: Math.floor(top) + 1 }, (_, loss) => loss);
  return [
    ...ticks.flatMap((loss) => [
      draw("line", { class: "grid", x1: left, x2: right, y1: y(loss), y2: y(loss) }),
      draw("text", { x: left - 6, y: y(loss) + 4, "text-anchor": "end" }, String(loss)),
    ]),
    draw("text", { x: left - 16, y: 9 }, "Loss, in nats"),
  ];
}

function drawTraining({ steps, losses }: TrainingPicture, { x, y, right }: Scales): SVGElement[] {
  const ground = y(0) + 17;
  const curves = losses.map((curve, network) => {
    const points = curve.map(([step, loss]) => `${round(x(step / steps))},${round(y(loss))}`);
    const of = network === 0 ? "of-a" : "of-b";
    return draw("polyline", { class: `ridge ${of}`, points: points.join(" ") });
  });
  const names = losses.flatMap((curve, network) => {
    const end = curve.at(-1);
    if (end === undefined) return [];
    const [step, loss] = end;
    const attributes = { x: round(x(step / steps)) + 7, y: round(y(loss)) + (network === 0 ? -5 : 12) };
    const name = network === 0 ? "A" : "B";
    return [draw("text", { class: network === 0 ? "of-a" : "of-b", ...attributes }, name)];
  });
  const done = losses[0].at(-1)?.[0] ?? 0;
  return [
    ...curves,
    ...names,
    ...(done === 0
      ? []
      : [draw("text", { x: right, y: ground, "text-anchor": "end" }, `step ${done} of ${steps}`)]),
  ];
}

function drawLine(picture: LinePicture, scales: Scales): SVGElement[] {
  const { shown, ghost, aligned, here } = picture;
  const { x, y, left, right } = scales;
  const ground = y(0);
  const points = (line: readonly Place[]) => line.map(({ t, loss }) => `${round(x(t))},${round(y(loss))}`);
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) return [];
  const line = points(shown);
  const area = `${round(x(first.t))},${ground} ${line.join(" ")} ${round(x(last.t))},${ground}`;
  const chord = (t: number) =>
    first.loss + (last.loss - first.loss) * ((t - first.t) / (last.t - first.t || 1));
  const levels = LEVELS.map((share) =>
    shown.map(({ t, loss }) => ({ t, error: 0, loss: chord(t) + (loss - chord(t)) * share })),
  );
  return [
    draw("polygon", { points: area, fill: "url(#from-a-to-b)", opacity: 0.13 }),
    ...levels.map((level) =>
      draw("polyline", { class: "level", stroke: "url(#from-a-to-b)", points: points(level).join(" ") }),
    ),
    ...(ghost === undefined ? [] : [draw("polyline", { class: "ghost", points: points(ghost).join(" ") })]),
    draw("polyline", {
      class: aligned ? "isthmus" : "ridge",
      ...(aligned ? {} : { stroke: "url(#from-a-to-b)" }),
      points: line.join(" "),
    }),
    draw("text", { class: "of-a", x: left, y: ground + 17, "text-anchor": "middle" }, "A"),
    draw("text", { class: "of-b", x: right, y: ground + 17, "text-anchor": "middle" }, "B"),
    nameOf(picture, scales),
    ...(here === undefined ? [] : marker(here, scales)),
  ];
}

/** Writes the name of the land above its highest place, as maps do. */
function nameOf({ shown, name }: LinePicture, { x, y }: Scales): SVGElement {
  const highest = shown.reduce((a, b) => (b.loss > a.loss ? b : a));
  const attributes = { x: x(0.5), y: Math.max(13, round(y(highest.loss)) - 11), "text-anchor": "middle" };
  return draw("text", { class: "name", ...attributes }, name);
}

function marker({ t, loss }: Place, { x, y }: Scales): SVGElement[] {
  const [cx, cy] = [round(x(t)), round(y(loss))];
  return [
    draw("line", { class: "stem", x1: cx, x2: cx, y1: cy, y2: y(0) + BELOW }),
    draw("circle", { class: "here", cx, cy, r: 7 }),
  ];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
