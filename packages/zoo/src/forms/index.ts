export { NET } from "./net.ts";
