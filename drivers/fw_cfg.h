/* QEMU's firmware configuration device: named strings given on QEMU's command line
 * (-fw_cfg name=opt/...,string=...). docs/specs/fw_cfg.rst of QEMU. */
#ifndef DRIVERS_FW_CFG_H
#define DRIVERS_FW_CFG_H

#include "kernel/lib/types.h"

/* Copies at most size bytes of the named item, not terminated; its length, or -ENOENT when there
 * is no such item or no such device. */
int fw_cfg_read(const char *name, void *buf, u32 size);

#endif
