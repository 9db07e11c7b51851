import { at, withCheckpoints } from "@isthmus/core";
import type { NamedSubject, Subjects } from "@isthmus/findings";
import { labelsOf } from "../format/labels-of.ts";
import { assertOutput } from "../output/assert-output.ts";
import { NETWORK_FORM, NETWORKS_FORM, PAIR_FORM, type SubjectForm } from "./open-subject.ts";

/** Sorts of subjects whose weights alone are read. */
type Weights = Subjects["weights" | "weights-of-pair" | "weights-of-networks"];

/**
 * Makes a form that opens networks from their files, without an architecture and without changing their
 * tensors.
 */
const weightsForm = (
  { arguments: named }: SubjectForm,
  subjectOf: (networks: readonly NamedSubject[]) => Weights,
): SubjectForm => ({
  arguments: named,
  isOfWeights: true,
  addOptions() {},
  open: ({ paths, outputs }, _, work) =>
    withCheckpoints(paths, async (checkpoints) => {
      const inputs = checkpoints.flatMap(({ files }) => files);
      for (const output of outputs) await assertOutput(output, inputs);
      const labels = labelsOf(paths);
      const networks = checkpoints.map((network, index) => ({ label: at(labels, index, "label"), network }));
      return work({ subject: subjectOf(networks), implied: {}, inputs, facts: [], beside: {} });
    }),
});

/** Way in which commands name and open one network whose weights alone are read. */
export const WEIGHTS_FORM: SubjectForm = weightsForm(NETWORK_FORM, (networks) => {
  return { network: at(networks, 0, "network").network };
});

/** Way in which commands name and open two networks whose weights alone are read. */
export const WEIGHTS_OF_PAIR_FORM: SubjectForm = weightsForm(PAIR_FORM, (networks) => {
  const { network: b } = at(networks, 1, "network");
  return { a: at(networks, 0, "network").network, b, unaligned: b };
});

/** Way in which commands name and open several networks whose weights alone are read. */
export const WEIGHTS_OF_NETWORKS_FORM: SubjectForm = weightsForm(NETWORKS_FORM, (networks) => ({ networks }));
