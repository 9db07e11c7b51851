import type { AnyMeasurement } from "@isthmus/findings";
import { TRAINING_FIELDS } from "@isthmus/training";
import { z } from "zod";
import { shapeOfFields } from "../schema/zod-of-form.ts";

type Trained = Pick<AnyMeasurement, "trains">;
type Values<T> = Readonly<Record<string, T>>;

/** Puts what belongs to the options of a training into an object of its own, if a measurement says so. */
function nest<T, U>({ trains }: Trained, values: Values<T>, wrap: (training: Values<T>) => U): Values<T | U> {
  if (trains?.param === undefined) return values;
  const entries = Object.entries(values);
  const isOfTraining = ([name]: readonly [string, T]) => Object.hasOwn(TRAINING_FIELDS, name);
  return {
    ...Object.fromEntries(entries.filter((pair) => !isOfTraining(pair))),
    [trains.param]: wrap(Object.fromEntries(entries.filter(isOfTraining))),
  };
}

/** Returns options as the parameters of a task hold them. */
export const toTaskOptions = (measurement: Trained, options: Values<unknown>): Values<unknown> =>
  nest(measurement, options, (training) => training);

/** Makes the schemas of the options in the parameters of a task. */
export function taskShapeOf(measurement: AnyMeasurement): z.ZodRawShape {
  return nest(measurement, shapeOfFields(measurement.options), (training) => z.strictObject(training));
}

/** Returns the options that the parameters of a task hold. */
export function fromTaskOptions({ trains }: Trained, options: Values<unknown>): Values<unknown> {
  if (trains?.param === undefined) return options;
  const { [trains.param]: training, ...others } = options;
  return { ...others, ...Object(training) };
}
