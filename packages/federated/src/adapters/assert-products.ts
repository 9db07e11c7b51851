import { UnsupportedError } from "@isthmus/core";

/**
 * Checks that no noise is added to products of factors: noise on both factors is multiplied with itself and
 * with the other factor, and noise on a product would need it in full.
 * @param module - name of a module whose factors are both shared
 * @throws UnsupportedError if there is noise
 */
export function assertNoNoiseOnProducts(module: string, hasNoise: boolean): void {
  if (!hasNoise) return;
  throw new UnsupportedError(
    `Cannot add noise to "${module}" as its change is a product of two factors, whose noises multiply, and noise on the product would need it in full: keep one factor with the clients by strategy: { share: { layers: { "*lora_A*": keep } } }, as FFA-LoRA does; then the other one is averaged by elements`,
    { feature: "privacy" },
  );
}
