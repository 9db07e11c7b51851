import { addSlider, defineFigure, strong } from "./figure.ts";
import { label, picture, round, tag } from "./markup.ts";
import { outputOf, rotate, rotationBy, TINY, type Tiny } from "./tiny-transformer.ts";

const SIZE = { width: 520, height: 250 };

/** Matrices that are shown, by their names. */
const SHOWN: readonly (readonly [name: keyof Tiny, title: string])[] = [
  ["embedding", "embedding"],
  ["query", "query"],
  ["value", "value"],
  ["up", "up"],
  ["down", "down"],
];
const CELL = 13;

/** Draws the weights of a tiny transformer whose residual stream is turned, and its logits. */
export function drawRotation(degrees: number): string {
  const turned = rotate(TINY, rotationBy(degrees));
  const logits = outputOf(turned);
  const change = largestChange(degrees);
  const matrices = SHOWN.flatMap(([name, title], index) => {
    const matrix = turned[name];
    const left = 8 + index * 104;
    return [
      label(title, { x: left, y: 18, class: "strong" }),
      ...matrix.flatMap((row, y) =>
        row.map((weight, x) =>
          tag("rect", {
            class: weight > 0 ? "cell of-a" : "cell of-b",
            x: left + x * CELL,
            y: 26 + y * CELL,
            width: CELL - 1,
            height: CELL - 1,
            opacity: round(10 * Math.min(1, 0.06 + Math.abs(weight))) / 10,
          }),
        ),
      ),
    ];
  });
  const bars = logits.flatMap((logit, word) => {
    const [x, height] = [186 + word * 68, Math.abs(logit) * 15];
    return [
      tag("rect", {
        class: "cell of-land",
        x,
        y: round(logit > 0 ? 192 - height : 192),
        width: 40,
        height: round(height),
      }),
      label(logit.toFixed(4), { x: x + 20, y: 242, "text-anchor": "middle" }),
    ];
  });
  return picture(
    SIZE,
    `Weights of a tiny transformer, turned by ${degrees} degrees: they differ by up to ${change.weights.toFixed(2)}, its logits by up to ${change.logits.toExponential(0)}`,
    ...matrices,
    label("logits of the next word", { x: 8, y: 196, class: "strong" }),
    tag("line", { class: "grid", x1: 176, x2: 512, y1: 192, y2: 192 }),
    ...bars,
  );
}

/** Returns the largest changes of a weight and of a logit by a turn of the residual stream. */
function largestChange(degrees: number) {
  const turned = rotate(TINY, rotationBy(degrees));
  const far = (a: readonly number[], b: readonly number[]) =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? 0))), 0);
  const names = Object.keys(TINY) as (keyof Tiny)[];
  return {
    weights: Math.max(...names.map((name) => far(turned[name].flat(), TINY[name].flat()))),
    logits: far(outputOf(turned), outputOf(TINY)),
  };
}

/** Defines the figure in which the residual stream of a transformer is turned. */
export function defineRotation(): void {
  const caption =
    "Computed here, in 64 bits: a transformer of one block, four words of context, a residual stream of six numbers, RMS norms. One orthogonal matrix turns the stream; every matrix that reads or writes it turns along.";
  defineFigure("isthmus-rotation", caption, ({ picture, controls, words }) => {
    const show = (degrees: number) => {
      picture.innerHTML = drawRotation(degrees);
      const { weights, logits } = largestChange(degrees);
      words.innerHTML = `Turned by ${degrees}°: weights change by up to ${strong(weights.toFixed(3))}, logits by up to ${strong(logits === 0 ? "0" : logits.toExponential(1))}.`;
      slider.setAttribute("aria-valuetext", words.textContent ?? "");
    };
    const slider = addSlider(
      controls,
      "Angle by which the residual stream is turned",
      { most: 180, value: 0 },
      show,
    );
    show(0);
  });
}
