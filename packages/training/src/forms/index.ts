export { AUGMENT, LOSS, OPTIMIZER, SCHEDULE } from "./training-schema.ts";
