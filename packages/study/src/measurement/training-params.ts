import type { AnyMeasurement } from "@isthmus/findings";
import { TRAINING_FIELDS } from "@isthmus/training";
import { z } from "zod";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { MeasurementParams } from "./open-shared.ts";

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
  const { options, training } = measurement;
  const inside = Object.entries(options).filter(([name]) => !training?.options.includes(name));
  return nest(measurement, shapeOfFields(Object.fromEntries(inside)), (trained) => z.strictObject(trained));
}

/** Returns the options that the parameters of a task hold, with the ones that stand beside its examples. */
export function fromTaskParams(
  { trains, training }: AnyMeasurement,
  { options, ...params }: MeasurementParams,
): Values<unknown> {
  const beside = training?.options.map((name) => [name, params[name]] as const) ?? [];
  const all = { ...options, ...Object.fromEntries(beside) };
  if (trains?.param === undefined) return all;
  const { [trains.param]: trained, ...others } = all;
  return { ...others, ...Object(trained) };
}
