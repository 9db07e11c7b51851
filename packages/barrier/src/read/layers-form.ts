import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { schemaOf, text } from "@isthmus/forms";
import * as z from "zod";
import { CUMULATIVE_ORDERS, type LayersResult } from "../layers-result.ts";
import { BARRIERS, COUNT, MEASURES, PAIR_ORIGIN, POINT } from "./form-parts.ts";

const network = z.enum(["a", "b"]);

const cut = z.looseObject({
  groups: z.array(text),
  fixed: network,
  points: z.array(POINT),
  barrier: BARRIERS,
  wholeEndpoints: MEASURES,
});
const prediction = z.looseObject({
  group: text,
  predicted: MEASURED,
  measured: MEASURED,
  points: z.array(z.looseObject({ t: z.number(), predicted: MEASURED, measured: MEASURED })),
  ends: z.array(z.looseObject({ network, slope: MEASURED, curvature: MEASURED })),
});
/** Form of the distances of a group in results of earlier versions, which include the cosine similarity. */
const earlierDistance = z.looseObject({
  distance: z.looseObject({ euclidean: z.unknown(), cosine: z.unknown() }),
});
const layerGroup = z.preprocess(
  (value) => {
    const earlier = earlierDistance.safeParse(value);
    if (!earlier.success) return value;
    const { distance, ...others } = earlier.data;
    return { ...others, euclideanDistance: distance.euclidean, cosineSimilarity: distance.cosine };
  },
  z.looseObject({
    name: text,
    tensors: z.array(text),
    elements: COUNT,
    euclideanDistance: MEASURED,
    cosineSimilarity: MEASURED,
  }),
);
/** Form of barriers by layer, as files hold them. */
export const LAYERS_FORM: z.ZodType = schemaOf<LayersResult>()(
  z.looseObject({
    kind: z.literal("layers"),
    ...LOSS_FORM,
    groups: z.array(layerGroup),
    whole: cut,
    layers: z.array(z.looseObject({ group: text, a: cut, b: cut, barrier: MEASURES })),
    cumulative: z.array(
      z.looseObject({
        order: z.enum(CUMULATIVE_ORDERS),
        steps: z.array(z.looseObject({ added: text, cut })),
      }),
    ),
    predictions: z
      .looseObject({
        barriers: z.array(prediction),
        rankCorrelation: MEASURED,
        interactions: z.array(z.looseObject({ network, curvatures: z.array(z.array(MEASURED)) })),
        examples: COUNT,
      })
      .optional(),
    robustness: z
      .array(
        z.looseObject({
          group: text,
          random: z.array(MEASURED),
          randomHalfway: z.array(MEASURED),
          toOther: z.looseObject({ halfway: MEASURED, end: MEASURED }),
        }),
      )
      .optional(),
    seed: COUNT,
    ...PAIR_ORIGIN,
  }),
);
