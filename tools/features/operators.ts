// Lists the operators that each part of the project handles, and the test that names each of them.
import { isRecurrent } from "../../packages/autodiff/src/lower/lower-recurrence.ts";
import { GRADIENT_RULES } from "../../packages/autodiff/src/rules/table.ts";
import { TFJS_OPERATORS } from "../../packages/engine/src/tfjs/operators/table.ts";
import { PLACE_RULES } from "../../packages/graph/src/batch/rules/table.ts";
import { RULES } from "../../packages/symmetry/src/rules/table.ts";
import { INFERENCE_CASES } from "../../test/helpers/operator-cases/inference.ts";
import { OPERATOR_CASES } from "../../test/helpers/operator-cases/table.ts";
import type { TestFile } from "./test-files.ts";

/** How one part of the project handles an operator. */
export interface Support {
  /** Path of a test that names the operator; missing if only tests of whole networks contain it. */
  readonly test?: string;
  /** Whether the gradient is zero everywhere, so that the rule lets none pass. */
  readonly stops?: boolean;
}

/** An operator, and how each part handles it; a part that does not is missing. */
export interface OperatorRow {
  readonly op: string;
  readonly symmetries?: Support;
  readonly gradient?: Support;
  readonly secondGradient?: Support;
  readonly tfjs?: Support;
  readonly batch?: Support;
}

/** Lists every operator that some part handles, by name. */
export function listOperators(tests: readonly TestFile[]): OperatorRow[] {
  const names = [RULES, GRADIENT_RULES, TFJS_OPERATORS, PLACE_RULES].flatMap((table) => [...table.keys()]);
  const engineCases = new Set(OPERATOR_CASES.map(({ op }) => op));
  const symmetryCases = new Set([...OPERATOR_CASES, ...INFERENCE_CASES].map(({ op }) => op));
  const among = (pattern: RegExp) => tests.filter(({ path }) => pattern.test(path));
  const symmetryTests = among(/^test\/(linear-)?symmetr|^packages\/symmetry\//);
  const ruleTests = among(/^test\/gradient-rules-/);
  const gradientTests = [...ruleTests, ...among(/^test\/gradient|^packages\/autodiff\//)];
  const tfjsTests = among(/^test\/(engine|tfjs)|^packages\/engine\//);
  const batchTests = among(/^test\/(free-batch|fixed-batches)|^packages\/graph\/src\/batch\//);
  // The rule of every operator that lets no gradient pass; the place of the largest element is one.
  const stopRule = GRADIENT_RULES.get("ArgMax");
  const hessianTests = ruleTests.filter(checksHessian);
  const firstOf = (files: readonly TestFile[], op: string): Support => supportOf(testsOf(files, op)[0]);
  return [...new Set(names)].sort().map((op) => {
    const stops = GRADIENT_RULES.has(op) && GRADIENT_RULES.get(op) === stopRule;
    const hasGradient = GRADIENT_RULES.has(op) || isLowered(op);
    const secondTest = testsOf(hessianTests, op).find((file) => !leavesOutSecond(file, op));
    return {
      op,
      ...(RULES.has(op) && {
        symmetries: symmetryCases.has(op)
          ? { test: "packages/symmetry/test/symmetry-operands.test.ts" }
          : firstOf(symmetryTests, op),
      }),
      ...(hasGradient && { gradient: stops ? { stops } : firstOf(gradientTests, op) }),
      ...(hasGradient && !stops && secondTest !== undefined && { secondGradient: supportOf(secondTest) }),
      ...(TFJS_OPERATORS.has(op) && {
        tfjs: engineCases.has(op)
          ? { test: "packages/engine/test/engine-agreement.test.ts" }
          : firstOf(tfjsTests, op),
      }),
      ...(PLACE_RULES.has(op) && { batch: firstOf(batchTests, op) }),
    };
  });
}

/** Returns whether gradients replace an operator by others first. */
function isLowered(op: string): boolean {
  return isRecurrent({ name: op, op, domain: "", inputs: [], outputs: [], attributes: new Map() });
}

const supportOf = (file: TestFile | undefined): Support => (file === undefined ? {} : { test: file.path });

/**
 * Returns the tests that name an operator: first in quotes or as the name of a case, then by its function of
 * the builder.
 */
function testsOf(files: readonly TestFile[], op: string): TestFile[] {
  const name = new RegExp(`"${op}[" ]|^\\s+${op}: `, "m");
  const call = /^[A-Z]{2,}/.test(op) ? op.toLowerCase() : op.charAt(0).toLowerCase() + op.slice(1);
  const builder = new RegExp(`import \\{[^}]*\\b${call}\\b[^}]*\\} from "@isthmus/graph/builder"`);
  return [name, builder].flatMap((pattern) => files.filter(({ text }) => pattern.test(text)));
}

/** Returns whether a test of gradient rules compares second derivatives, too. */
const checksHessian = ({ text }: TestFile): boolean => /\b(testRules|checkHessian)\b/.test(text);

/** Returns whether a test leaves out second derivatives of an operator. */
const leavesOutSecond = ({ text }: TestFile, op: string): boolean =>
  new RegExp(`^ {2}${op}: \\{[^}]*?second: false`, "m").test(text);
