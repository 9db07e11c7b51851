import { blend, drawCurves, type Frame } from "./curves.ts";
import { addButton, change, defineFigure, strong } from "./figure.ts";
import { label, picture } from "./markup.ts";
import measured from "./measured.json" with { type: "json" };

const { deviations, keep, repair } = measured.repair;
const SIZE = { width: 520, height: 260 };
const LAYERS: Frame = {
  left: 34,
  top: 40,
  width: 200,
  height: 170,
  most: 8,
  title: "Deviation of activations",
  ends: ["layer 1", "logits"],
};
const LOSSES: Frame = {
  left: 292,
  top: 40,
  width: 190,
  height: 170,
  most: 2,
  title: "Loss, in nats",
  ends: ["A", "aligned B"],
};

/** Draws how activations shrink between two networks, and the loss; at a share of 1 they are set right. */
export function drawRepair(share: number): string {
  const middle = blend(deviations.middle, deviations.repaired, share);
  const losses = blend(keep.losses, repair.losses, share);
  return picture(
    SIZE,
    `Standard deviation of activations by layer: ${deviations.a.join(", ")} in A; ${deviations.middle.join(", ")} half-way between A and aligned B, where the loss has a ridge of ${keep.barrier} nats; ${deviations.repaired.join(", ")} after REPAIR, where the ridge is ${repair.barrier} nats`,
    drawCurves(LAYERS, [
      { values: deviations.a, look: "of-a" },
      { values: deviations.b, look: "of-b" },
      { values: middle, look: "of-land" },
    ]),
    label("A, B", { class: "of-a strong", x: LAYERS.left + 150, y: 76 }),
    label("the average", {
      class: "of-land strong",
      x: LAYERS.left + 10,
      y: share > 0.5 ? 160 : 196,
    }),
    drawCurves(LOSSES, [
      { values: keep.losses, look: "ghost" },
      { values: losses, look: "of-land", filled: true },
    ]),
  );
}

/** Defines the figure of activations that collapse between two networks, and of REPAIR. */
export function defineRepair(): void {
  const caption =
    "Measured by Isthmus: <code>mlp:64x6:he</code> on 6,000 digits, seeds 0 and 1, B aligned to A; deviations of the six hidden layers and the logits, half-way.";
  defineFigure("isthmus-repair", caption, ({ picture, controls, words }) => {
    let isRepaired = false;
    let shown = 0;
    const show = (share: number) => {
      shown = share;
      picture.innerHTML = drawRepair(share);
      const { barrier } = isRepaired ? repair : keep;
      const last = (isRepaired ? deviations.repaired : deviations.middle).at(-1);
      words.innerHTML = `Half-way, the last layer deviates by ${strong(String(last))}, that of A by ${deviations.a.at(-1)}; the ridge is ${strong(String(barrier))} nats.`;
    };
    const button = addButton(controls, "REPAIR", () => {
      const from = shown;
      isRepaired = !isRepaired;
      button.textContent = isRepaired ? "Undo" : "REPAIR";
      change((share) => show(from + share * ((isRepaired ? 1 : 0) - from)));
    });
    show(0);
  });
}
