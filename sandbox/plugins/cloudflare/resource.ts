import type { CheckFailure } from "../../../provider/protocol/provider.ts";
import type { Properties } from "../../../provider/protocol/values.ts";
import type { Client } from "./client.ts";
import type { Fields } from "./shape.ts";

/** A type of resource as the official plugin has it. All properties reach the methods with secrets in clear. */
export interface Resource {
  /** Its inputs, and which of them there have to be. */
  inputs: Fields;
  /** Inputs of the official plugin for which the sandbox's Cloudflare has nothing: refused. */
  unplayed?: readonly string[];
  /** What stands in the state for inputs that are not given. */
  defaults?: Properties;
  /** Inputs that Cloudflare fills in where they are not given; they then stay as they are. */
  filled?: readonly string[];
  /** Outputs that are no inputs. */
  computed: readonly string[];
  /** Those of them, and of the filled, that an update leaves alone. */
  stable?: readonly string[];
  /** Inputs that need a new resource where they change. */
  replaces: readonly string[];
  /** Inputs whose changes are overlooked once there is a resource. */
  overlooked?: readonly string[];
  /** Outputs that are always secret. */
  secrets?: readonly string[];
  /** What else is wrong with inputs; what is not known yet is left out. Never with a secret in the words. */
  check?(inputs: Properties): Promise<CheckFailure[]> | CheckFailure[];
  create(client: Client, inputs: Properties): Promise<{ id: string; outputs: Properties }>;
  /** The outputs as they are now; undefined where it is gone. */
  read(client: Client, id: string, outputs: Properties): Promise<Properties | undefined>;
  /** @param inputs the new ones, with defaults, and what was filled in. */
  update?(client: Client, id: string, olds: Properties, inputs: Properties): Promise<Properties>;
  delete(client: Client, id: string, outputs: Properties): Promise<void>;
  /** The id and what {@link read} needs of the outputs, from what a person gives to import it; absent where nobody can. */
  import?: { form: string; parse: (parts: readonly string[]) => { id: string; outputs: Properties } };
  /** Makes outputs secret that are so only in part. */
  hide?(outputs: Properties): Properties;
}
