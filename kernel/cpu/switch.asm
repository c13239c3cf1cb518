; The context switch: what the C calling convention lets a callee destroy is already saved by the
; compiler around the call, so four registers and the stack pointer are all of a task's context.
;
;   void switch_stacks(u32 *save_esp, u32 load_esp)

section .text
global switch_stacks
switch_stacks:
    mov eax, [esp + 4]
    mov edx, [esp + 8]
    push ebp
    push ebx
    push esi
    push edi
    mov [eax], esp
    mov esp, edx
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret

; Where a new task starts: switch_stacks "returns" here, with the frame of task.c on the stack.
extern task_started
extern trap_return
global task_entry_user
task_entry_user:
    call task_started
    jmp trap_return                     ; the trap frame lies right on top

global task_entry_kernel
task_entry_kernel:
    call task_started
    pop eax                             ; function
    xor ebp, ebp
    call eax                            ; its argument lies on top
    ud2                                 ; kernel threads do not return

; void enter_user(struct trap_frame *frame): leaves the kernel by that frame. Does not return.
global enter_user
enter_user:
    mov esp, [esp + 4]
    jmp trap_return
