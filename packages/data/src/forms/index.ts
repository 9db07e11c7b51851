export { DATA_NAME } from "./data-name.ts";
