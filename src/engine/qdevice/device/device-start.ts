/**
 * corosync-qdevice comes up: it tracks votequorum, registers, reads its configuration and starts its algorithm; then it waits for the first notifications. In the real stack:
 * main of corosync-qdevice.c and the init functions it calls.
 */
import { MS } from "../../kernel/index.ts";
import { configNodes, ffsplitTrouble, readInstance, readNet, type DeviceConfig } from "./device-config.ts";
import type { DeviceCore } from "./device-core.ts";
import type { DevicePort, NodeVotes } from "./device-state.ts";
import { nodeListLines } from "../tlv.ts";

export const QDEVICE_DATABASE = "/etc/corosync/qdevice/net/nssdb";

/** How often a start whose daemon is not ready yet tries again (max_cs_try_again tries a second apart). */
const TRY_AGAIN_MS = 1000;

export interface StartHooks {
  /** ffsplit asks for the votes of all nodes before it starts; `algorithm` is called with them. */
  askVotes(): void;
  /** The configuration is in force from here on. */
  take(config: DeviceConfig): void;
}

export class DeviceStart {
  constructor(
    private readonly port: DevicePort,
    private readonly device: DeviceCore,
    private readonly options: { readonly test: boolean },
    private readonly hooks: StartHooks,
  ) {}

  begin(): void {
    this.device.wait({ on: "trackstart" }, { call: "trackstart" });
  }

  tracking(error: string | undefined): void {
    if (error === "CS_ERR_TRY_AGAIN") {
      this.port.setTimer("start", this.port.now() + TRY_AGAIN_MS * MS);
      return;
    }
    if (error !== undefined) return this.device.fail(`Failed to initialize the cmap API. Error ${error}`);
    this.device.debug("Initializing votequorum");
    this.device.state.phase = "registering";
    this.device.wait({ on: "register" }, { call: "register" });
  }

  registered(error: string | undefined): void {
    const { device } = this;
    if (error !== undefined) return device.fail(`Can't register votequorum device. Error ${error}`);
    device.debug("Initializing local socket");
    device.debug("Registering qdevice models");
    device.debug("Configuring qdevice");
    const instance = readInstance(this.port.get, this.port.list);
    if (typeof instance === "string") return device.fail(instance);
    device.debug("Configuring master_wins");
    device.wait({ on: "master_wins" }, { call: "master_wins", allow: false });
  }

  configure(denied: string | undefined): void {
    const { device } = this;
    if (denied !== undefined) return device.fail(`Can't set master wins. Error ${denied}`);
    device.debug("Getting configuration node list");
    device.debug("Configuration node list:");
    for (const line of nodeListLines(configNodes(this.port.get, this.port.list))) device.debug(line);
    device.debug("Initializing qdevice model");
    device.debug("Initializing qdevice_net_instance");
    const config = this.read();
    if (config === undefined) return;
    device.debug("Registering algorithms");
    device.debug("Initializing NSS");
    if (config.tls !== "off" && !this.port.hasDatabase(QDEVICE_DATABASE))
      return device.fail("Can't init nss (-8174): security library: bad database.");
    if (config.algorithm === "ffsplit") this.hooks.askVotes();
    else this.run(config);
  }

  /** Undefined: the process has ended over it. */
  private read(): DeviceConfig | undefined {
    const config = readNet(this.port.get, this.port.list, this.port.nodeId(), this.options.test);
    if (typeof config !== "string") return config;
    this.device.fail(config);
    return undefined;
  }

  algorithm(votes: readonly NodeVotes[]): void {
    const trouble = ffsplitTrouble(this.port.get, votes);
    if (trouble !== undefined) {
      this.port.log("crit", trouble);
      return this.device.fail("Algorithm init failed");
    }
    const config = this.read();
    if (config !== undefined) this.run(config);
  }

  private run(config: DeviceConfig): void {
    const { device } = this;
    this.hooks.take(config);
    device.castVote?.update("Wait for reply");
    if (config.algorithm === "lms" || config.algorithm === "2nodelms") {
      device.debug(`algo-${config.algorithm}: Can't get WFA res = 12`);
      device.debug(`algo-${config.algorithm}: initialised. WFA = 0`);
    } else if (config.algorithm === "test") device.debug("algo-test: Initialized");
    device.debug("Initializing cmap tracking");
    device.debug("Registering main poll loop callbacks");
    device.debug("Waiting for ring id");
    device.state.phase = "running";
    this.port.notifyReady();
    device.wait({ on: "current" }, { call: "current" });
  }
}
