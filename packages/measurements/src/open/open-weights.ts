import { at, withCheckpoints } from "@isthmus/core";
import type { NamedSubject, Subjects } from "@isthmus/findings";
import { labelsOf } from "./labels-of.ts";
import type { OpenSubject } from "./open-subject.ts";

/** Sorts of subjects whose weights alone are read. */
type WeightsName = "weights" | "weights-of-pair" | "weights-of-networks";

/**
 * Makes a function that opens networks from their files, without an architecture and without changing their
 * tensors.
 */
const weightsOpener =
  <S extends WeightsName>(subjectOf: (networks: readonly NamedSubject[]) => Subjects[S]): OpenSubject<S> =>
  ({ paths, options }, work) =>
    withCheckpoints(paths, async (checkpoints) => {
      const files = checkpoints.flatMap((checkpoint) => checkpoint.files);
      await options.onFiles?.(files);
      const labels = labelsOf(paths);
      const networks = checkpoints.map((network, index) => ({ label: at(labels, index, "label"), network }));
      return work({ subject: subjectOf(networks), files });
    });

/** Opens one network whose weights alone are read. */
export const openWeights: OpenSubject<"weights"> = weightsOpener((networks) => ({
  network: at(networks, 0, "network").network,
}));

/** Opens two networks whose weights alone are read. */
export const openWeightsOfPair: OpenSubject<"weights-of-pair"> = weightsOpener((networks) => {
  const { network: b } = at(networks, 1, "network");
  return { a: at(networks, 0, "network").network, b, unaligned: b };
});

/** Opens several networks whose weights alone are read. */
export const openWeightsOfNetworks: OpenSubject<"weights-of-networks"> = weightsOpener((networks) => ({
  networks,
}));
