"""gdb commands for Ferry: thin readers of the kernel's own structures.

    ferry-tasks          every thread: state, name, where it stopped
    ferry-pages          frames by kind, references by holder
    ferry-ledger [PID]   the ledger of the machine, or of one task

When a program starts (execve), its symbols take the place of the last one's, so that
`break main` stops in the program: all are linked to the same addresses.

`make gdb` loads this file. Each command reads memory only: it calls nothing in the guest.
"""

import os
import struct

import gdb


def symbol(name):
    """The value of a kernel variable, or an error that says what to do."""
    try:
        return gdb.parse_and_eval(name)
    except gdb.error as error:
        raise gdb.GdbError(f"no kernel symbol `{name}` ({error}): is build/ferry.elf the kernel that runs? "
                           "The structures' owner may have renamed it: see tools/gdb/ferry.py") from error


def enumerators(type_name, prefix):
    """{value: lower-case name without prefix} of an enum, in order."""
    try:
        fields = gdb.lookup_type(type_name).fields()
    except gdb.error as error:
        raise gdb.GdbError(f"no `{type_name}` in the kernel's debug information ({error})") from error
    return {f.enumval: f.name[len(prefix):].lower() for f in fields if f.name.startswith(prefix)}


def tail_queue(head, link):
    """The elements of a BSD TAILQ."""
    item = head["tqh_first"]
    while int(item):
        yield item
        item = item[link]["tqe_next"]


def tasks():
    return tail_queue(symbol("all_tasks"), "all")


class Command(gdb.Command):
    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        try:
            self.show(gdb.string_to_argv(argument))
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"{error}: the kernel has not set this up yet (try `break kmain`, `continue`)") from error


class Tasks(Command):
    """ferry-tasks: every thread, its state, and where a task that does not run will go on."""

    name = "ferry-tasks"

    def show(self, _):
        states = enumerators("enum task_state", "TASK_")
        running = int(symbol("current"))
        print("  TID  PARENT STATE     NAME             KERNEL STACK  SLEEPS ON")
        for task in tasks():
            above = task["process"]["parent"]
            parent = int(above["pid"]) if int(above) else 0
            state = "running" if int(task) == running else states.get(int(task["state"]), "?")
            queue = int(task["sleeping_on"])
            where = gdb.execute(f"info symbol {queue:#x}", to_string=True).strip() if queue else ""
            if where.startswith("No symbol"):
                where = f"{queue:#x}"
            print(f"{int(task['tid']):5} {parent:7} {state:9} {task['name'].string():16} "
                  f"{int(task['kstack']):#012x}  {where}")


class Pages(Command):
    """ferry-pages: how many frames are of which kind, and who holds the references."""

    name = "ferry-pages"

    def show(self, _):
        base, frames = symbol("pages"), int(symbol("nr_frames"))
        page = gdb.lookup_type("struct page")
        at = {field.name: field.bitpos // 8 for field in page.fields()}
        memory = gdb.selected_inferior().read_memory(int(base), frames * page.sizeof).tobytes()
        kinds = {}
        for start in range(0, len(memory), page.sizeof):
            kind = memory[start + at["kind"]]
            count, references = kinds.get(kind, (0, 0))
            kinds[kind] = count + 1, references + struct.unpack_from("<I", memory, start + at["refs"])[0]
        print(f"{frames} frames of 4 KiB, {int(symbol('nr_free_frames'))} free")
        print("KIND          FRAMES  REFERENCES")
        for kind, name in enumerators("enum page_kind", "PAGE_").items():
            print(f"{name:10} {kinds.get(kind, (0, 0))[0]:9} {kinds.get(kind, (0, 0))[1]:11}")
        print("HOLDER    REFERENCES")
        holds = symbol("page_holds")
        for holder, name in enumerators("enum holder", "HOLD_").items():
            print(f"{name:10} {int(holds[holder]):9}")


class Ledger(Command):
    """ferry-ledger [PID]: who moved how many bytes over which edge; of the machine, or of one task."""

    name = "ferry-ledger"

    def show(self, arguments):
        account = symbol("ledger_machine")
        if arguments:
            found = [task for task in tasks() if int(task["tid"]) == int(arguments[0])]
            if not found:
                raise gdb.GdbError(f"no task {arguments[0]}: see ferry-tasks")
            account = found[0]["account"].dereference()
        movers = enumerators("enum ledger_mover", "MOVER_")
        print(f"{'EDGE':14} {'MOVER':6} {'BYTES':>14} {'MOVES':>10}")
        for edge, name in enumerators("enum ledger_edge", "EDGE_").items():
            for mover, who in movers.items():
                self.cell(name, who, account["edges"][edge][mover])
        for apart, name in enumerators("enum ledger_apart", "APART_").items():
            self.cell(name, "apart", account["apart"][apart])
        for title, prefix, array in (("entry", "ENTRY_", "entries"), ("switch", "SWITCH_", "switches")):
            for index, name in enumerators(f"enum ledger_{title}", prefix).items():
                print(f"{title} {name:16} {int(account[array][index]):10}")

    @staticmethod
    def cell(name, who, cell):
        if int(cell["ops"]):
            print(f"{name:14} {who:6} {int(cell['bytes']):14} {int(cell['ops']):10}")


class ProgramStarts(gdb.Breakpoint):
    """Never stops: loads the symbols of the program that execve is about to enter."""

    loaded = None

    def __init__(self):
        super().__init__("start_program", internal=True)
        self.silent = True

    def stop(self):
        name = gdb.parse_and_eval("current->name").string()
        gdb.post_event(lambda: self.load(name))
        return False

    def load(self, name):
        build = os.path.dirname(gdb.objfiles()[0].filename)
        for path in (f"{build}/user/{name}", f"{build}/guest/{name}"):
            if os.path.exists(path) and path != self.loaded:
                if self.loaded:
                    gdb.execute(f"remove-symbol-file {self.loaded}", to_string=True)
                gdb.execute(f"add-symbol-file {path}", to_string=True)
                ProgramStarts.loaded = path


for command in (Tasks, Pages, Ledger):
    command()
try:
    ProgramStarts()
except gdb.error:  # another kernel than ours
    pass
