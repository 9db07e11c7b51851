import { blend, drawCurves, type Frame, placeIn } from "./curves.ts";
import { addButton, addSlider, change, defineFigure, strong } from "./figure.ts";
import { label, picture, round, tag } from "./markup.ts";
import measured from "./measured.json" with { type: "json" };

const { asTrained, aligned } = measured.basins;
const SIZE = { width: 520, height: 250 };
const FRAME: Frame = {
  left: 40,
  top: 34,
  width: 460,
  height: 180,
  most: 2,
  title: "Loss, in nats",
  ends: ["A", "B"],
};

/** State of the figure: the place of the thumb, and how far the alignment of B has come. */
interface View {
  /** Place between A and B, an index of the measured places. */
  readonly place: number;
  /** From 0, as trained, to 1, aligned. */
  readonly share: number;
}

/** Draws the loss between two networks. */
export function drawTwoBasins({ place, share }: View): string {
  const losses = blend(asTrained.losses, aligned.losses, share);
  const here = losses[place] ?? 0;
  const [x, y] = placeIn(FRAME, place / (losses.length - 1), here).map(round);
  const highest = Math.max(...losses);
  const [middle, top] = placeIn(FRAME, 0.5, highest).map(round);
  const isAligned = share > 0.5;
  const name = isAligned ? `isthmus, ${aligned.barrier} nats` : `ridge, ${asTrained.barrier} nats`;
  const ghost = { values: asTrained.losses, look: "ghost" };
  const shown = { values: losses, look: isAligned ? "of-land" : "of-ridge", filled: true };
  return picture(
    SIZE,
    `Loss on the line from network A to network B: a ridge of ${asTrained.barrier} nats as trained, ${aligned.barrier} nats once B is aligned`,
    drawCurves(FRAME, share > 0 ? [ghost, shown] : [shown]),
    label(name, {
      class: "name",
      x: middle ?? 0,
      y: Math.max(14, (top ?? 0) - 12),
      "text-anchor": "middle",
    }),
    tag("circle", { class: "here", cx: x ?? 0, cy: y ?? 0, r: 6 }),
  );
}

/** Defines the figure of two networks, the ridge between them, and its end. */
export function defineTwoBasins(): void {
  const caption =
    "Measured by Isthmus: two networks <code>mlp:64x3</code>, trained on 6,000 digits from the seeds 0 and 1, on the line between them.";
  defineFigure("isthmus-two-basins", caption, ({ picture, controls, words }) => {
    let view: View = { place: 12, share: 0 };
    const show = (next: View) => {
      view = next;
      picture.innerHTML = drawTwoBasins(view);
      const line = view.share > 0.5 ? aligned : asTrained;
      const t = view.place / (line.losses.length - 1);
      const text = `${Math.round(100 * (1 - t))} % A, ${Math.round(100 * t)} % B: loss ${line.losses[view.place]?.toFixed(2)}, misread ${(100 * (line.errors[view.place] ?? 0)).toFixed(1)} %`;
      words.innerHTML = text.replace(/[\d.]+ %$/, (share) => strong(share));
      slider.setAttribute("aria-valuetext", text);
    };
    const slider = addSlider(
      controls,
      "Place between network A and network B",
      { most: 24, value: 12 },
      (place) => show({ ...view, place }),
    );
    let isAligned = false;
    const button = addButton(controls, "Align", () => {
      const from = view.share;
      isAligned = !isAligned;
      button.textContent = isAligned ? "Show as trained" : "Align";
      change((share) => show({ ...view, share: from + share * ((isAligned ? 1 : 0) - from) }));
    });
    show(view);
  });
}
