import { make } from "../shell/dom.ts";
import { createLand } from "../story/land.ts";
import { formatLoss, formatShare } from "../story/words.ts";
import type {
  Aligned,
  DrawnFigure,
  FoundSymmetries,
  LinePlace,
  MeasuredLines,
} from "../worker/lab/lab-requests.ts";
import { formatNumber, formatSeconds, plural } from "./format.ts";
import type { ShownResult } from "./step.ts";
import { makeTable } from "./table.ts";

/** Axes of a symmetry that are named. */
const NAMED = 4;

/** Shows symmetries, and what stays. */
export function showSymmetries(found: FoundSymmetries): ShownResult {
  const { symmetries, frozen, free, total, beyond, values, maxRelativeError, failed } = found;
  const some = (axes: readonly string[]) =>
    axes.length > NAMED
      ? `${axes.slice(0, NAMED).join(", ")} and ${axes.length - NAMED} more`
      : axes.join(", ");
  const proof =
    failed === undefined
      ? `proved on ${plural(values, "value")} inside, the same to ${maxRelativeError.toExponential(0)}`
      : `NOT proved: ${failed}`;
  const rows = symmetries.map(({ name, units, axes }) => [name, units, some(axes)]);
  const stuck = frozen.map(({ axis, reason }) => [axis, reason]);
  return {
    say: `${plural(symmetries.length, "group")} of units can change places; ${free} of ${total} axes of the weights move with them; ${proof}.`,
    nodes: [
      makeTable("What can be permuted", ["Symmetry", ">Units", "Moves (tensor:axis)"], rows, "group"),
      ...(beyond.length === 0 ? [] : [make("p", {}, `Beyond permutation: ${beyond.join("; ")}.`)]),
      ...(stuck.length === 0
        ? []
        : [makeTable("What stays in place, and why", ["Axis", "Because"], stuck, "row")]),
    ],
  };
}

/** Shows an alignment. */
export function showAlignment(aligned: Aligned, save: HTMLElement): ShownResult {
  const { before, after, bound, moved, units, maxRelativeError, narrowed, seconds } = aligned;
  const share =
    bound > 0 ? `, ${Math.floor((1000 * after) / bound) / 10} % of what no alignment exceeds` : "";
  const proof = narrowed ? "a narrowed network of B's structure computes" : "B computes";
  return {
    say: `${moved.toLocaleString("en")} of ${plural(units, "unit")} changed places, in ${formatSeconds(seconds)}. Inner product with A: ${formatNumber(before)} before, ${formatNumber(after)} after${share}. Verified: ${proof} what it did, the same to ${maxRelativeError.toExponential(0)}.`,
    nodes: [save],
  };
}

/** A picture of lines that grows while they are measured, until the figures of the result take its place. */
export interface LinePicture {
  readonly element: HTMLElement;
  /** Adds a place. */
  add(aligned: boolean, place: LinePlace): void;
}

/** Creates the picture of the line from A to B, and to the aligned B. */
export function createLinePicture(): LinePicture {
  const plot = make("div", { class: "plot" });
  const rail = make("div", { class: "rail", hidden: "" });
  const land = createLand(plot, rail);
  const lines: Record<"before" | "after", LinePlace[]> = { before: [], after: [] };
  const show = (name: string) => {
    const isAligned = lines.after.length > 0;
    const shown = isAligned ? lines.after : lines.before;
    const ghost = isAligned ? lines.before : undefined;
    land.show({ kind: "line", shown, ghost, aligned: isAligned, here: undefined, name }, name);
  };
  return {
    element: make("div", {}, plot, rail),
    add(aligned, place) {
      const line = aligned ? lines.after : lines.before;
      line.push(place);
      show(aligned ? "aligned" : "as given");
    },
  };
}

/** Shows measured lines: the figures of the command, and all numbers. */
export function showLines({ before, after, figures, seconds }: MeasuredLines): ShownResult {
  const rows = before.places.map(({ t, loss, error }, index) => {
    const aligned = after.places[index];
    return [
      t.toFixed(3),
      ...[loss, aligned?.loss].map((value) => value?.toFixed(6) ?? "–"),
      ...[error, aligned?.error].map((value) =>
        value === undefined || Number.isNaN(value) ? "–" : formatShare(value),
      ),
    ];
  });
  const columns = [">Place", ">Loss", ">Loss, aligned", ">Errors", ">Errors, aligned"];
  return {
    say: `Barrier: ${formatLoss(before.barrier)} nats as given, ${formatLoss(after.barrier)} once B is aligned; ${plural(before.places.length, "place")} in ${formatSeconds(seconds)}.`,
    nodes: [
      ...figures.map(showFigure),
      make(
        "details",
        {},
        make("summary", {}, "All numbers"),
        makeTable("Losses and errors from A to B", columns, rows, "place"),
      ),
    ],
  };
}

/** Shows a figure in the colours of the page. */
function showFigure({ description, light, dark }: DrawnFigure): HTMLElement {
  const image = (look: "light" | "dark", svg: string) =>
    make("img", {
      class: `of-${look}`,
      alt: description,
      src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`,
    });
  return make("figure", { class: "drawn" }, image("light", light), image("dark", dark));
}
