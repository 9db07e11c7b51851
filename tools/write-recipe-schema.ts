// Writes the JSON Schema of recipes, from the keys that recipes have and the table of methods.
//
//   npx tsx --conditions=@isthmus/source tools/write-recipe-schema.ts
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { recipeJsonSchema } from "../packages/recipe/src/schema/recipe-json-schema.ts";

const path = fileURLToPath(new URL("../packages/recipe/recipe.schema.json", import.meta.url));
writeFileSync(path, `${JSON.stringify(recipeJsonSchema(), undefined, 2)}\n`);
