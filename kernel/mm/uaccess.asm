; The raw moves to and from a program's memory. A fault on the marked instruction does not kill
; the kernel: the fault handler finds it in .extable and goes on at the second address, where ECX
; still says how much was left.
;
;   size_t user_copy_raw(void *dst, const void *src, size_t len)   returns the bytes not moved
;   size_t user_zero_raw(void *dst, size_t len)
;
; Words first, because QEMU and a processor without fast strings both count each repetition.

%macro on_fault 2
section .extable
    dd %1, %2
section .text
%endmacro

extern cpu_has_smap

%macro user_access_begin 0
    cmp byte [cpu_has_smap], 0
    je %%no
    stac
%%no:
%endmacro
%macro user_access_end 0
    cmp byte [cpu_has_smap], 0
    je %%no
    clac
%%no:
%endmacro

section .text
global user_copy_raw
user_copy_raw:
    push esi
    push edi
    mov edi, [esp + 12]
    mov esi, [esp + 16]
    mov ecx, [esp + 20]
    user_access_begin
    mov edx, ecx
    and edx, 3                          ; bytes behind the last whole word
    shr ecx, 2
.words:
    rep movsd
    mov ecx, edx
    xor edx, edx
.bytes:
    rep movsb
.done:
    user_access_end
    lea eax, [ecx * 1 + edx]
    pop edi
    pop esi
    ret
.words_fault:                           ; ECX words and EDX bytes are left: try them one by one,
    lea ecx, [ecx * 4 + edx]            ; so that the count is exact to the byte
    xor edx, edx
    jmp .bytes
    on_fault .words, .words_fault
    on_fault .bytes, .done

global user_zero_raw
user_zero_raw:
    push edi
    mov edi, [esp + 8]
    mov ecx, [esp + 12]
    xor eax, eax
    user_access_begin
    mov edx, ecx
    and edx, 3
    shr ecx, 2
.words:
    rep stosd
    mov ecx, edx
    xor edx, edx
.bytes:
    rep stosb
.done:
    user_access_end
    lea eax, [ecx * 1 + edx]
    pop edi
    ret
.words_fault:
    lea ecx, [ecx * 4 + edx]
    xor edx, edx
    jmp .bytes
    on_fault .words, .words_fault
    on_fault .bytes, .done
