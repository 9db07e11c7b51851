import type { SubjectName } from "@isthmus/findings";
import { ATTACK_FORM } from "./open-attack.ts";
import { ENSEMBLE_FORM } from "./open-ensemble.ts";
import { LANDSCAPE_FORM } from "./open-landscape.ts";
import { PLANE_FORM } from "./open-plane.ts";
import { NETWORKS_AND_STAR_FORM } from "./open-starred.ts";
import {
  NETWORK_FORM,
  NETWORKS_FORM,
  PAIR_FORM,
  PAIR_ON_SETS_FORM,
  type SubjectForm,
  UNLIKE_PAIR_FORM,
} from "./open-subject.ts";
import { TRAINING_FORM } from "./open-training.ts";
import { WEIGHTS_FORM, WEIGHTS_OF_NETWORKS_FORM, WEIGHTS_OF_PAIR_FORM } from "./open-weights.ts";

/** Ways in which commands name and open each sort of subject. */
export const SUBJECT_FORMS: Readonly<Record<SubjectName, SubjectForm>> = {
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
