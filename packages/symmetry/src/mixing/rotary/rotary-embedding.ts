import { at } from "@isthmus/core";
import { intAttribute } from "@isthmus/graph/ir";
import type { WalkRule } from "../../linear/rule.ts";
import { ONE } from "../../linear/signed-sets.ts";
import { givenInputs, type RuleContext } from "../../rules/rule.ts";
import { STILL } from "./place-table.ts";
import type { TurnAlgebra } from "./turn-algebra.ts";

/** Follows `RotaryEmbedding`, which turns pairs along the last axis by angles that do not change. */
export const rotaryEmbedding: WalkRule<TurnAlgebra> = (context) => {
  const { algebra, node } = context;
  const [x, ...angles] = givenInputs(context).map((input) => algebra.changing(input));
  if (x === undefined) return undefined;
  for (const angle of angles) algebra.fix(angle);
  const last = x.shape.length - 1;
  const event = `rotary embedding by ${node.inputs.slice(1).join()}`;
  const fields = x.fields.map((field) => {
    if (!field.axes.includes(last)) return { ...field, data: algebra.after(field.data, event) };
    const partners = field.data.map((_, place) => partnerOf(place, context));
    return { ...field, data: turnPairs(algebra, field.data, { partners, event }) };
  });
  return [{ shape: x.shape, fields }];
};

/** Returns the other place of the pair that a place is in; the place itself if nothing turns it. */
function partnerOf(place: number, { node, inputs }: RuleContext): number {
  const shape = inputs[0]?.shape ?? [];
  const last = at(shape, shape.length - 1, "axis");
  const inner = shape.length === 4 ? last : last / intAttribute(node, "num_heads", 1);
  const turned = intAttribute(node, "rotary_embedding_dim", 0) || inner;
  const offset = (place % last) % inner;
  if (offset >= turned) return place;
  if (intAttribute(node, "interleaved", 0) === 1) return place - offset + (offset ^ 1);
  return offset < turned / 2 ? place + turned / 2 : place - turned / 2;
}

/** Pairs of places, and the event that turns each pair. */
interface Turn {
  /** The other place of the pair of each place. */
  readonly partners: Int32Array;
  readonly event: string;
}

function turnPairs(algebra: TurnAlgebra, data: Int32Array, { partners, event }: Turn): Int32Array {
  const { places } = algebra;
  const marks = data.map((code, place) => {
    const partner = at(partners, place, "partner");
    if (partner === place) return places.markOf(code);
    const turns = pairUp(algebra, code, at(data, partner, "place"));
    // Seen from the first place of a pair, both places turn alike.
    const seen = partner < place ? -turns & 3 : turns;
    return algebra.marks.after(places.markOf(code), algebra.marks.numberOf(`${event} to ${seen}`));
  });
  return data.map((code, place) =>
    algebra.factorAt(code) === ONE
      ? STILL
      : places.create({
          label: places.labelOf(code),
          phase: places.phaseOf(code),
          mark: at(marks, place, "mark"),
        }),
  );
}

/**
 * Makes a pair of two places; if they cannot form one, they must not change.
 * @returns the quarter turns from the first to the second
 */
function pairUp(algebra: TurnAlgebra, code: number, other: number): number {
  const { places } = algebra;
  const isAlike = code !== STILL && other !== STILL && places.markOf(code) === places.markOf(other);
  if (isAlike && algebra.partOf(code).root !== algebra.partOf(other).root) {
    algebra.pair(algebra.partOf(code).root, algebra.partOf(other).root);
  }
  const turns = isAlike ? (algebra.partOf(other).phase - algebra.partOf(code).phase) & 3 : 0;
  if (turns % 2 === 0) {
    algebra.fixPlace(code);
    algebra.fixPlace(other);
  }
  return turns;
}
