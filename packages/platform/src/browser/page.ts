export { mountFile, mountStorage, outputFile, unmountFile } from "./mounting.ts";
