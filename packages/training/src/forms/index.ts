export { LOSS, OPTIMIZER, SCHEDULE } from "./training-schema.ts";
