; The first instructions: from GRUB's flat 32-bit world to the higher half.
;
; Multiboot 1 hands over with paging off, EAX = magic, EBX = physical address of its information
; structure (Multiboot Specification 0.6.96, 3.2). We map RAM twice with 4 MiB pages - where it is,
; so that the next instruction can be fetched, and at KERNEL_BASE, where the kernel is linked -
; switch paging on, jump up, and call kmain. kernel/mm/paging.c builds the final tables.

KERNEL_BASE equ 0xC0000000
MULTIBOOT_MAGIC equ 0x1BADB002
MULTIBOOT_FLAGS equ 1 << 0 | 1 << 1     ; modules page-aligned, memory map wanted

CR0_PG equ 1 << 31
CR4_PSE equ 1 << 4
PDE_4M equ 0x83                         ; present, writable, 4 MiB page

section .multiboot progbits alloc noexec nowrite align=4
    dd MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

section .text
global boot_entry
extern kmain
boot_entry:
    cld
    mov esi, eax                        ; magic
    mov edi, ebx                        ; information structure

    ; 192 entries of 4 MiB = 768 MiB, once at 0 and once at KERNEL_BASE
    mov ecx, 0
    mov edx, PDE_4M
.fill:
    mov [boot_pgdir - KERNEL_BASE + ecx * 4], edx
    mov [boot_pgdir - KERNEL_BASE + (KERNEL_BASE >> 22) * 4 + ecx * 4], edx
    add edx, 4 << 20
    inc ecx
    cmp ecx, 192
    jb .fill

    mov eax, boot_pgdir - KERNEL_BASE
    mov cr3, eax
    mov eax, cr4
    or eax, CR4_PSE
    mov cr4, eax
    mov eax, cr0
    or eax, CR0_PG
    mov cr0, eax

    mov eax, .high
    jmp eax                             ; from the low mapping to the high one
.high:
    mov esp, boot_stack_top
    xor ebp, ebp                        ; the end of every backtrace
    push edi
    push esi
    call kmain                          ; kmain(magic, physical address of the information)
.halt:
    cli
    hlt
    jmp .halt

section .bss align=4096
global boot_pgdir
boot_pgdir:
    resb 4096
global boot_stack
boot_stack:
    resb 16384
global boot_stack_top
boot_stack_top:
