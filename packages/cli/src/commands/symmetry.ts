import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { saveFile } from "@isthmus/core";
import {
  type AxisRef,
  encodeSpec,
  explainSpec,
  type SpecExplanation,
  type VerifySymmetriesResult,
  verifySymmetries,
} from "@isthmus/graph";
import { createAligner } from "../aligner.ts";
import { type EngineOptions, engineOption } from "../engine-option.ts";
import { formatJson } from "../format-json.ts";
import { formatPairs, formatTable } from "../format-table.ts";
import { openArchitecture } from "../open-architecture.ts";
import { withCheckpoints } from "../open-checkpoints.ts";
import { parseSeed } from "../parse-values.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface SymmetryOptions extends EngineOptions {
  readonly verify?: true | undefined;
  readonly checkpoint?: string | undefined;
  readonly seed: number;
  readonly output?: string | undefined;
}

/** Axes of a symmetry that are written out in the table. */
const SHOWN_AXES = 4;

/** The verb `symmetry`. */
export function symmetryVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("symmetry")
    .argument(
      "<graph>",
      "an .onnx file, the model.json of a LayersModel, or a model's folder with config.json and safetensors",
    )
    .option("--verify", "permute weights by every symmetry at once and compare every value inside")
    .option("--checkpoint <file>", "verify with these weights (default: random ones)")
    .option("--seed <n>", "seed of permutations, inputs and weights of the verification", parseSeed, 0)
    .option("-o, --output <file>", "write the symmetries as JSON")
    .addOption(engineOption())
    .addHelpText(
      "after",
      formatExamples(
        ["isthmus symmetry model.onnx", "what can be permuted, and what cannot and why"],
        ["isthmus symmetry llama", "of a model's folder"],
        ["isthmus symmetry model.onnx --verify --checkpoint a.safetensors", "prove it on real weights"],
      ),
    )
    .action((graph, options) => run(options, (context) => symmetry(graph, options, context)));
}

async function symmetry(path: string, options: SymmetryOptions, context: Context): Promise<Outcome> {
  const { signal, progress } = context;
  const { graph, engine, symmetries } = await createAligner(await openArchitecture(path, options), context);
  const verifies = options.verify || options.checkpoint !== undefined;
  if (verifies) progress("Verifying");
  const verified = verifies
    ? await withCheckpoints(options.checkpoint === undefined ? [] : [options.checkpoint], ([weights]) =>
        verifySymmetries(graph, engine, symmetries, { seed: options.seed, weights, signal }),
      )
    : undefined;
  if (options.output !== undefined) {
    const inputs = [path, ...(options.checkpoint === undefined ? [] : [options.checkpoint])];
    await saveFile(options.output, formatJson(encodeSpec(symmetries.spec)), inputs);
  }
  const explanation = explainSpec(symmetries.spec);
  return {
    result: { ...explanation, verified: verified ?? null },
    text: [formatExplanation(explanation), ...(verified ? ["", formatVerification(verified)] : [])].join(
      "\n",
    ),
    failure:
      verified?.firstFailure &&
      `the symmetries do not hold: ${verified.firstFailure.node} differs by ${verified.firstFailure.error}`,
  };
}

function formatExplanation({ symmetries, axes, frozen, unknown }: SpecExplanation): string {
  const sizeOf = ({ size, cells }: SpecExplanation["symmetries"][number]): string =>
    cells === 1 ? String(size) : `${cells} x ${size}`;
  const table = formatTable(
    [
      { title: "symmetry" },
      { title: "units", align: "right" },
      { title: "within" },
      { title: "moves (tensor:axis)" },
    ],
    symmetries.map((entry) => [entry.name, sizeOf(entry), entry.parents.join(", "), formatAxes(entry.axes)]),
  );
  const stuck = formatTable(
    [{ title: "stays" }, { title: "indices", align: "right" }, { title: "because of" }, { title: "reason" }],
    frozen.map(({ tensor, axis, indices, extent, node, reason }) => [
      `${tensor}:${axis}`,
      indices === extent ? String(extent) : `${indices} of ${extent}`,
      node,
      reason,
    ]),
  );
  const operators = [...new Set(unknown.map(({ op }) => op))];
  const summary: [string, string][] = [
    ["symmetries", String(symmetries.length)],
    [
      "axes that move",
      `${axes.free + axes.partly} of ${axes.total}${axes.partly === 0 ? "" : `, ${axes.partly} of them in part`}`,
    ],
  ];
  if (operators.length > 0) summary.push(["operators without a rule", operators.join(", ")]);
  return [table, ...(frozen.length === 0 ? [] : ["", stuck]), "", formatPairs(summary)].join("\n");
}

/** The first few axes of many: the others are of the same kind, and in the JSON. */
function formatAxes(axes: readonly AxisRef[]): string {
  const shown = axes.slice(0, SHOWN_AXES).map(({ tensor, axis }) => `${tensor}:${axis}`);
  if (axes.length > SHOWN_AXES) shown.push(`and ${axes.length - SHOWN_AXES} more`);
  return shown.join(" ");
}

function formatVerification({ passed, maxRelativeError, tensors, worst }: VerifySymmetriesResult): string {
  const where = worst === undefined ? "" : `, at ${worst.node}`;
  return `${passed ? "Verified" : "NOT verified"}: ${tensors} values compared, largest relative error ${maxRelativeError.toExponential(1)}${where}`;
}
