import * as z from "zod";
import { text } from "../schema/numbers.ts";

/** A function that returns the new path for an old one. */
export type MovePath = (path: string) => string;

/** Function that moves the paths in a text. */
interface Moved {
  readonly move: (text: string, move: MovePath) => string;
}

/** Schemas of texts that are paths, or contain paths. */
const MOVED = z.registry<Moved>();

/**
 * Marks the schema of a text as the schema of a path, which another machine looks up elsewhere.
 * @param move - returns the text with other paths in it, if it is more than a path
 */
export function marksPath(
  schema: z.ZodString,
  move: Moved["move"] = (path, moveOne) => moveOne(path),
): z.ZodString {
  MOVED.add(schema, { move });
  return schema;
}

/** Schema of the path of a file, which is moved to the place at which a worker finds the file. */
export const filePath: z.ZodString = marksPath(text.min(1));

/**
 * Returns a value with moved paths wherever its schema marks paths; a text that only looks like a path stays.
 * @param value - a value that fits the schema
 */
export function movePathsBy<T>(schema: z.ZodType<T>, value: T, move: MovePath): T {
  return moveIn(schema as unknown as z.core.$ZodTypes, value, move) as T;
}

function moveIn(schema: z.core.$ZodType, value: unknown, move: MovePath): unknown {
  const moved = MOVED.get(schema);
  if (moved !== undefined && typeof value === "string") return moved.move(value, move);
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "optional":
    case "nullable":
      return value === undefined || value === null ? value : moveIn(def.innerType, value, move);
    case "array":
      return (value as readonly unknown[]).map((part) => moveIn(def.element, part, move));
    case "object": {
      const parts = Object.entries(value as object).map(([name, part]) => {
        const { [name]: inside } = def.shape;
        return [name, inside === undefined ? part : moveIn(inside, part, move)] as const;
      });
      return Object.fromEntries(parts);
    }
    case "union": {
      const fitting = def.options.find((option) => z.safeParse(option, value).success);
      return fitting === undefined ? value : moveIn(fitting, value, move);
    }
    default:
      return value;
  }
}
