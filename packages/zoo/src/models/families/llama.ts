import { llamaFamily } from "../llama-family.ts";
import type { ModelFamily } from "../model-family.ts";

/** Llama, of any version up to 3. @see Touvron et al., LLaMA, 2023, section 2.2 */
export const LLAMA: ModelFamily = llamaFamily({ windows: "asked" });

/** Mistral: Llama that sees a window. @see Jiang et al., Mistral 7B, 2023, section 2 */
export const MISTRAL: ModelFamily = llamaFamily({ windows: "all" });
