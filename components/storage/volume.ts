import pulumi from "@pulumi/pulumi";
import { claim, type Platform } from "../platform/index.ts";
import type { VolumeSettings } from "../settings/storage.ts";
import type { LocalStore } from "./object-store.ts";

export interface VolumeArgs {
  platform: Platform;
  settings: VolumeSettings;
}

/** Attic's local storage on a volume: no object store, no redirects, and room for one server only. */
export class Volume extends pulumi.ComponentResource implements LocalStore {
  readonly type = "local";
  readonly claim: pulumi.Output<string>;
  readonly clientLabels = {};
  readonly ready: pulumi.Resource = this;

  constructor(name: string, args: VolumeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("attic-stack:storage:Volume", name, {}, opts);
    const role = { name: "attic", component: "object-store" };
    this.claim = claim(`${name}-data`, args.platform, role, args.settings, this).metadata.name;
    this.registerOutputs({ claim: this.claim });
  }
}
