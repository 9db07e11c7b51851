import type { SubjectName } from "@isthmus/findings";
import {
  openAttack,
  openEnsemble,
  openLandscape,
  openNetwork,
  openNetworks,
  openPlane,
  openStarred,
} from "./open-networks.ts";
import { openPair, openPairOnSets, openUnlikePair } from "./open-pairs.ts";
import type { OpenSubject, SubjectRequest } from "./open-subject.ts";
import { openTraining } from "./open-training.ts";
import { openWeights, openWeightsOfNetworks, openWeightsOfPair } from "./open-weights.ts";
import type { Opened } from "./opened.ts";

const OPENERS: { readonly [S in SubjectName]: OpenSubject<S> } = {
  network: openNetwork,
  networks: openNetworks,
  "networks-and-star": openStarred,
  pair: openPair,
  "pair-on-sets": openPairOnSets,
  "unlike-pair": openUnlikePair,
  ensemble: openEnsemble,
  attack: openAttack,
  landscape: openLandscape,
  plane: openPlane,
  training: openTraining,
  weights: openWeights,
  "weights-of-pair": openWeightsOfPair,
  "weights-of-networks": openWeightsOfNetworks,
};

/**
 * Opens the subject of a measurement, with examples and an alignment as far as options ask for them, passes
 * it to `work`, and closes it whatever happens.
 * @param subject - sort of the subject, which the measurement has
 * @throws UsageError if options contradict each other, or one that it needs is missing
 * @throws InputError if a file cannot be read
 * @throws MismatchError if networks and architecture do not fit each other
 */
export async function withSubject<S extends SubjectName, T>(
  subject: S,
  request: SubjectRequest<S>,
  work: (opened: Opened<S>) => Promise<T>,
): Promise<T> {
  return OPENERS[subject](request, work);
}
