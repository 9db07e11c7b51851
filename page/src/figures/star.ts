import { drawCurves, type Frame } from "./curves.ts";
import { addChoice, defineFigure, strong } from "./figure.ts";
import { label, picture, round, tag } from "./markup.ts";
import measured from "./measured.json" with { type: "json" };

const { arms, sides } = measured.star;
const SIZE = { width: 520, height: 270 };
const CENTRE = [118, 138] as const;
const RADIUS = 92;
const LOSSES: Frame = {
  left: 286,
  top: 40,
  width: 214,
  height: 180,
  most: 0.5,
  title: "Loss, in nats",
  ends: ["0", "1"],
};

function corner(index: number): readonly [number, number] {
  const angle = (2 * Math.PI * index) / arms.length - Math.PI / 2;
  return [round(CENTRE[0] + RADIUS * Math.cos(angle)), round(CENTRE[1] + RADIUS * Math.sin(angle))];
}

/** Draws networks around their star, and the losses on the way to each. */
export function drawStar(chosen: number): string {
  const line = ([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number], look: string) =>
    tag("line", { class: look, x1, y1, x2, y2 });
  const ends = arms.map((_, index) => corner(index));
  const next = (index: number) => corner((index + 1) % arms.length);
  return picture(
    SIZE,
    `Five networks around a star. Barriers from the star: ${arms.map(({ barrier }) => barrier).join(", ")} nats; from each network to the next, aligned: ${sides.map(({ barrier }) => barrier).join(", ")} nats`,
    ...ends.map((end, index) => line(end, next(index), index === chosen ? "side of-a chosen" : "side")),
    ...ends.map((end, index) => line(CENTRE, end, index === chosen ? "arm of-land chosen" : "arm of-land")),
    ...ends.flatMap(([x, y], index) => [
      tag("circle", { class: "node", cx: x, cy: y, r: 14 }),
      label(String(index + 1), { x, y: y + 5, "text-anchor": "middle", class: "strong" }),
    ]),
    tag("circle", { class: "node star", cx: CENTRE[0], cy: CENTRE[1], r: 17 }),
    label("★", { x: CENTRE[0], y: CENTRE[1] + 6, "text-anchor": "middle", class: "strong" }),
    drawCurves(LOSSES, [
      ...sides.map(({ losses }, i) => ({
        values: losses,
        look: i === chosen ? "of-a chosen" : "of-a faint",
      })),
      ...arms.map(({ losses }, i) => ({
        values: losses,
        look: i === chosen ? "of-land chosen" : "of-land faint",
      })),
    ]),
    label("network to network", { class: "of-a strong", x: 300, y: 150 }),
    label("star to network", { class: "of-land strong", x: 300, y: 170 }),
  );
}

/** Defines the figure of a star and the networks that it is joined with. */
export function defineStar(): void {
  const caption =
    "Losses and barriers are measured by Isthmus: five networks <code>mlp:32x2</code> on 6,000 digits, aligned. The star on the left is a drawing: in truth the networks lie in 26,506 dimensions.";
  defineFigure("isthmus-star", caption, ({ picture, controls, words }) => {
    const show = (chosen: number) => {
      picture.innerHTML = drawStar(chosen);
      const neighbour = ((chosen + 1) % arms.length) + 1;
      words.innerHTML = `Barrier from the star to network ${chosen + 1}: ${strong(String(arms[chosen]?.barrier))} nats; from network ${chosen + 1} to network ${neighbour}, aligned: ${strong(String(sides[chosen]?.barrier))}.`;
    };
    addChoice(
      controls,
      arms.map((_, index) => `Network ${index + 1}`),
      show,
    );
    show(0);
  });
}
