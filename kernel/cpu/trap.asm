; Every way into the kernel: 256 stubs that lead to one common path.
;
; A stub pushes a zero where the processor pushes no error code, then the vector (SDM vol. 3,
; 6.13); the common path completes struct trap_frame (cpu.h) and calls trap_dispatch.

KERNEL_DATA equ 0x10

section .text
extern trap_dispatch
extern cpu_has_smap

%assign vector 0
%rep 256
trap_stub_%+vector:
    ; 8 DF, 10 TS, 11 NP, 12 SS, 13 GP, 14 PF, 17 AC, 21 CP push an error code themselves
    %if !(vector = 8 || (vector >= 10 && vector <= 14) || vector = 17 || vector = 21)
    push dword 0
    %endif
    push dword vector
    jmp trap_common
    %assign vector vector + 1
%endrep

trap_common:
    pusha
    push ds
    push es
    push fs
    push gs
    mov eax, KERNEL_DATA
    mov ds, eax
    mov es, eax
    xor eax, eax                        ; the kernel uses neither: a null selector can always be
    mov fs, eax                         ; popped again, whatever becomes of the program's
    mov gs, eax                         ; thread-local segments meanwhile
    cld
    cmp byte [cpu_has_smap], 0          ; the interrupted code may have been copying to a program
    je .no_smap
    clac
.no_smap:
    push esp
    call trap_dispatch
    add esp, 4
; Back to where the trap came from. A program may have loaded a segment register and then taken
; its descriptor away (set_thread_area), so each pop can fault: then the register becomes null, as
; on Linux. If even iret cannot go back, the program gets SIGSEGV.
%macro pop_segment 1
%%pop:
    pop %1
section .extable
    dd %%pop, %%fault
section .text.fixup
%%fault:
    mov dword [esp], 0
    jmp %%pop
section .text
%endmacro

global trap_return
trap_return:
    pop_segment gs
    pop_segment fs
    pop_segment es
    pop_segment ds
    popa
    add esp, 8                          ; vector, error code
.iret:
    iret
section .extable
    dd .iret, iret_fault
section .text.fixup
iret_fault:                             ; a trap of the program's, with the frame of the first
    push dword 0
    push dword 13                       ; general protection
    jmp trap_common

section .rodata
global trap_stubs
trap_stubs:
%assign vector 0
%rep 256
    dd trap_stub_%+vector
    %assign vector vector + 1
%endrep
