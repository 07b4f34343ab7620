import type {
  PolicyResource,
  ResourceValidationPolicy,
  StackValidationArgs,
  StackValidationPolicy,
} from "@pulumi/policy";

export interface Given {
  type: string;
  name?: string;
  props: object;
}

/** Exactly this type and no other: a helper that says yes to all would let every rule pass. */
const asks = (type: string) => (resource: { type: string }) => resource.type === type;

/** The messages of a rule about one resource. */
export async function reported(
  rule: ResourceValidationPolicy,
  { type, name = "it", props }: Given,
): Promise<string[]> {
  const messages: string[] = [];
  if (typeof rule.validateResource !== "function") throw new Error("this rule has not the one check");
  const args = {
    type,
    name,
    props,
    urn: urnOf(type, name),
    opts: {},
    isType: asks(type),
    asType: () => undefined,
  };
  await rule.validateResource(args as never, (message) => void messages.push(message));
  return messages;
}

/** The messages of a rule about a whole stack, each with the name of the resource that it is about. */
export async function reportedOfStack(
  rule: StackValidationPolicy,
  given: readonly Given[],
): Promise<[string, string][]> {
  const messages: [string, string][] = [];
  const resources = given.map(({ type, name = "it", props }) => ({
    type,
    name,
    props,
    urn: urnOf(type, name),
  })) as unknown as PolicyResource[];
  await rule.validateStack({ resources } as StackValidationArgs, (message, urn) => {
    messages.push([urn?.split("::").pop() ?? "", message]);
  });
  return messages;
}

const urnOf = (type: string, name: string): string => `urn:pulumi:test::attic-stack::${type}::${name}`;
