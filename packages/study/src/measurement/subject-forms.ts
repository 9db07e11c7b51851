import type { SubjectName } from "@isthmus/findings";
import type { PairSelection } from "../description/pair-selection.ts";
import type { PathMeasurement, SetsMeasurement } from "../description/path-measurements.ts";
import type { AnySubjectForm, SubjectForm } from "./subject-form.ts";
import { ATTACK_FORM, type AttackSelection } from "./subjects/attack.ts";
import { ENSEMBLE_FORM, type EnsembleSelection } from "./subjects/ensemble.ts";
import { LANDSCAPE_FORM, type LandscapeSelection } from "./subjects/landscape.ts";
import { NETWORK_FORM, type NetworkMeasurement, type NetworkSelection } from "./subjects/network.ts";
import { type CellOfGroup, type CellSelection, NETWORKS_FORM } from "./subjects/networks.ts";
import { NETWORKS_AND_STAR_FORM, type StarredSelection } from "./subjects/networks-and-star.ts";
import {
  PAIR_FORM,
  PAIR_ON_SETS_FORM,
  UNLIKE_PAIR_FORM,
  type UnlikePairMeasurement,
} from "./subjects/pair.ts";
import { PLANE_FORM, type PlaneSelection } from "./subjects/plane.ts";
import { TRAINING_FORM, type TrainingSelection } from "./subjects/training.ts";
import { WEIGHTS_FORM, WEIGHTS_OF_NETWORKS_FORM, WEIGHTS_OF_PAIR_FORM } from "./subjects/weights.ts";

/** Keys of an entry of a study that select its subjects, by the sort of subject. */
export interface Selections {
  /** Keys that select networks of a group, each measured by itself. */
  readonly network: NetworkMeasurement;
  /** Keys that select networks of a group that are measured together. */
  readonly networks: CellSelection;
  /** Keys that select networks that are measured together, and the star of them. */
  readonly "networks-and-star": StarredSelection;
  /** Keys that select pairs of networks of one architecture, and a path between them. */
  readonly pair: PathMeasurement;
  /** Keys that select pairs of networks, and several sets of examples. */
  readonly "pair-on-sets": SetsMeasurement;
  /** Keys that select pairs of networks whose architectures may differ. */
  readonly "unlike-pair": UnlikePairMeasurement;
  /** Keys that select networks that predict together, and the data that they are compared on. */
  readonly ensemble: EnsembleSelection;
  /** Keys that select networks that are attacked, and the sources of adversarial examples. */
  readonly attack: AttackSelection;
  /** Keys that select networks, and the directions of their landscapes. */
  readonly landscape: LandscapeSelection;
  /** Keys that select networks that span planes. */
  readonly plane: PlaneSelection;
  /** Keys that name the network and the examples of a measurement that trains networks itself. */
  readonly training: TrainingSelection;
  /** Keys that select networks whose weights alone are read, each by itself. */
  readonly weights: NetworkSelection;
  /** Keys that select pairs of networks whose weights alone are read. */
  readonly "weights-of-pair": PairSelection;
  /** Keys that select networks that are measured together by their weights alone. */
  readonly "weights-of-networks": CellOfGroup;
}

const FORMS: { readonly [S in SubjectName]: SubjectForm<S, Selections[S]> } = {
  network: NETWORK_FORM,
  networks: NETWORKS_FORM,
  "networks-and-star": NETWORKS_AND_STAR_FORM,
  pair: PAIR_FORM,
  "pair-on-sets": PAIR_ON_SETS_FORM,
  "unlike-pair": UNLIKE_PAIR_FORM,
  ensemble: ENSEMBLE_FORM,
  attack: ATTACK_FORM,
  landscape: LANDSCAPE_FORM,
  plane: PLANE_FORM,
  training: TRAINING_FORM,
  weights: WEIGHTS_FORM,
  "weights-of-pair": WEIGHTS_OF_PAIR_FORM,
  "weights-of-networks": WEIGHTS_OF_NETWORKS_FORM,
};

/** Ways in which studies select and open each sort of subject. */
export const SUBJECT_FORMS: Readonly<Record<SubjectName, AnySubjectForm>> = FORMS;
