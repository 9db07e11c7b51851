import { make } from "../shell/dom.ts";
import { formatBytes } from "../worker/lab/format-bytes.ts";
import type {
  Aligned,
  Compared,
  FoundSymmetries,
  PairChoice,
  WithCommand,
} from "../worker/lab/lab-requests.ts";
import type { Choices } from "./choices.ts";
import { showComparison } from "./compare-view.ts";
import type { LabMachine } from "./lab-machine.ts";
import { Merging } from "./merging.ts";
import {
  createLinePicture,
  type LinePicture,
  showAlignment,
  showLines,
  showSymmetries,
} from "./pair-views.ts";
import { showWritten } from "./save-file.ts";
import { Step, type Working } from "./step.ts";
import type { StepsOptions } from "./steps-options.ts";

/** The steps of the lab, each of which uses the chosen files. */
export interface Steps {
  readonly element: HTMLElement;
  /** Follows a change of the files, or of their parts. */
  follow(): void;
  /** Puts a recipe into the editor. */
  write(recipe: string): void;
}

/** Creates all steps. */
export function createSteps(given: Omit<StepsOptions, "toAlign">): Steps {
  const { machine, choices } = given;
  const options: StepsOptions = { ...given, toAlign: () => align.reveal() };
  const pair = pairOf(choices);
  const compare = new Step<WithCommand<Compared>>({
    id: "lab-compare",
    title: "Can they be merged?",
    lead: "Names, shapes, distances and angles of all networks, read by samples.",
    action: "Compare",
    work: (working) => machine.ask("lab.compare", { paths: choices.networks }, working),
    show: (compared) => showComparison(compared, options.toAlign),
  });
  const symmetries = new Step<WithCommand<FoundSymmetries>>({
    id: "lab-symmetry",
    title: "Symmetries",
    lead: "Which units can be put in another order, and nothing is computed otherwise.",
    action: "Find them",
    work: (working) =>
      machine.ask(
        "lab.symmetries",
        {
          graph: chosen(choices.graph, "the graph"),
          network: choices.a,
          others: choices.networks.filter((path) => path !== choices.a),
        },
        working,
      ),
    show: showSymmetries,
  });
  const align = alignStep(options, pair);
  const barrier = barrierStep(options, pair);
  const merging = new Merging(options);
  const all = [compare, symmetries, align, barrier];
  let before = "";
  return {
    element: make("div", { class: "steps" }, ...all.map(({ element }) => element), merging.step.element),
    write: (recipe) => merging.write(recipe),
    follow() {
      const now = JSON.stringify([choices.networks, choices.graph, choices.data, choices.points]);
      if (now !== before) for (const step of all) step.clear();
      before = now;
      const noGraph = choices.graph === undefined ? sayNoGraph(choices) : undefined;
      const noPair = choices.b === undefined ? "It needs two networks: drop another one." : undefined;
      const isOne = choices.a === choices.b ? "It needs two networks: A and B are one file." : undefined;
      compare.allow(noPair);
      symmetries.allow(noGraph);
      align.allow(noPair ?? isOne ?? noGraph);
      barrier.allow(noPair ?? isOne ?? noGraph ?? noData(choices));
      merging.follow();
    },
  };
}

function sayNoGraph({ unreadGraph }: Choices): string {
  return unreadGraph === undefined
    ? "It needs the graph of the network: drop an ONNX file."
    : `It needs the graph of the network: ${unreadGraph} cannot be read yet, and says why above.`;
}

function noData({ data }: Choices): string | undefined {
  return data === undefined
    ? "It needs examples: drop an .npz or .safetensors file of inputs and labels, or a pair of .npy or MNIST files."
    : undefined;
}

function pairOf(choices: Choices): () => PairChoice {
  return () => ({
    a: chosen(choices.a, "A"),
    b: chosen(choices.b, "B"),
    graph: chosen(choices.graph, "the graph"),
  });
}

/** Returns a file that a step needs; its button is off while the file is missing. */
function chosen(path: string | undefined, what: string): string {
  if (path === undefined) throw new Error(`Cannot begin as ${what} must be chosen`);
  return path;
}

function alignStep({ machine }: StepsOptions, pair: () => PairChoice): Step<WithCommand<Aligned>> {
  return new Step({
    id: "lab-align",
    title: "Align B to A",
    lead: "B's units in the order of A's, found by their weights; B computes what it did, which is proved by running it.",
    action: "Align",
    work: (working) => machine.ask("lab.align", pair(), working),
    show: (aligned) => showAlignment(aligned, saveAlignedPart(machine, pair(), aligned)),
  });
}

/** Offers to write the aligned network, and tells its size before. */
function saveAlignedPart(machine: LabMachine, pair: PairChoice, { bytes, name }: Aligned): HTMLElement {
  const files = make("ul", { class: "written" });
  const write = make("button", { type: "button", class: "quiet" }, `Write ${name}, ${formatBytes(bytes)}`);
  const say = make("p", { class: "say", role: "status" });
  write.addEventListener("click", async () => {
    write.disabled = true;
    try {
      const written = await machine.ask("lab.save-aligned", { ...pair, name });
      files.replaceChildren(showWritten(machine, written));
    } catch (error) {
      say.textContent = (error as Error).message;
    } finally {
      write.disabled = false;
    }
  });
  return make("div", {}, write, files, say);
}

function barrierStep({ machine, choices }: StepsOptions, pair: () => PairChoice) {
  let picture: LinePicture = createLinePicture();
  const step = new Step({
    id: "lab-barrier",
    title: "What lies between them",
    lead: "The loss on the line from A to B, as they were given and once B is aligned.",
    action: "Measure",
    work: ({ signal, onProgress }: Working) => {
      picture = createLinePicture();
      const { points } = choices;
      const data = chosen(choices.data, "a set of examples");
      return machine.ask(
        "lab.barrier",
        { ...pair(), data, points, isNarrow: matchMedia("(max-width: 44rem)").matches },
        {
          signal,
          onProgress(progress) {
            onProgress(progress);
            if (progress.place === undefined) return;
            if (!picture.element.isConnected)
              step.element.querySelector(".result")?.replaceChildren(picture.element);
            picture.add(progress.aligned, progress.place);
          },
        },
      );
    },
    show: showLines,
  });
  return step;
}
