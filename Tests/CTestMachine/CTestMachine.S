/* Runs code with given registers, and plays the kernel's entry for rewritten sites. */
#define R(n) (8 * n)
#define RAX R(0)
#define RBX R(1)
#define RCX R(2)
#define RDX R(3)
#define RSI R(4)
#define RDI R(5)
#define RBP R(6)
#define R8_ R(7)
#define R9_ R(8)
#define R10_ R(9)
#define R11_ R(10)
#define R12_ R(11)
#define R13_ R(12)
#define R14_ R(13)
#define R15_ R(14)
#define FLAGS R(15)
#define RED_ZONE R(16)

    .text
    .globl test_run
    .type test_run, @function
test_run:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rsi                       /* the registers, found again below the code's frame */
    mov %rdi, code(%rip)
    mov RED_ZONE(%rsi), %rax
    mov %rax, -16(%rsp)             /* below where the return address will be */
    mov %rsp, %rax
    lea -256(%rsp), %rsp            /* pushing must not touch the red zone */
    push FLAGS(%rsi)
    popfq
    mov %rax, %rsp
    mov RAX(%rsi), %rax
    mov RBX(%rsi), %rbx
    mov RCX(%rsi), %rcx
    mov RDX(%rsi), %rdx
    mov RDI(%rsi), %rdi
    mov RBP(%rsi), %rbp
    mov R8_(%rsi), %r8
    mov R9_(%rsi), %r9
    mov R10_(%rsi), %r10
    mov R11_(%rsi), %r11
    mov R12_(%rsi), %r12
    mov R13_(%rsi), %r13
    mov R14_(%rsi), %r14
    mov R15_(%rsi), %r15
    mov RSI(%rsi), %rsi
    call *code(%rip)
    mov %rsi, saved_rsi(%rip)
    mov (%rsp), %rsi
    mov %rax, RAX(%rsi)
    mov %rbx, RBX(%rsi)
    mov %rcx, RCX(%rsi)
    mov %rdx, RDX(%rsi)
    mov %rdi, RDI(%rsi)
    mov %rbp, RBP(%rsi)
    mov %r8, R8_(%rsi)
    mov %r9, R9_(%rsi)
    mov %r10, R10_(%rsi)
    mov %r11, R11_(%rsi)
    mov %r12, R12_(%rsi)
    mov %r13, R13_(%rsi)
    mov %r14, R14_(%rsi)
    mov %r15, R15_(%rsi)
    mov saved_rsi(%rip), %rax
    mov %rax, RSI(%rsi)
    mov -16(%rsp), %rax
    mov %rax, RED_ZONE(%rsi)
    pushfq
    pop FLAGS(%rsi)
    cld
    pop %rsi
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

/* As the kernel's own: no stack of the program, no other register, flags as they were. */
    .weak pv_entry_site
    .type pv_entry_site, @function
pv_entry_site:
    mov %rax, 8+test_entry(%rip)
    mov %rcx, 16+test_entry(%rip)
    mov %r11, 24+test_entry(%rip)
    mov %rsp, saved_rsp(%rip)
    lea stack_top(%rip), %rsp
    pushfq
    mov (%rsp), %r11                /* syscall leaves the flags in r11 */
    incq test_entry(%rip)
    popfq
    mov saved_rsp(%rip), %rsp
    mov 24+test_entry(%rip), %rcx
    mov test_result(%rip), %rax
    jmp *16+test_entry(%rip)

    .globl test_last_entry
    .type test_last_entry, @function
test_last_entry:
    lea test_entry(%rip), %rax
    ret

    .globl test_set_result
    .type test_set_result, @function
test_set_result:
    mov %rdi, test_result(%rip)
    ret

    .globl test_entry_address
    .type test_entry_address, @function
test_entry_address:
    lea pv_entry_site(%rip), %rax
    ret

    .bss
    .balign 16
test_entry: .skip 32
test_result: .skip 8
code: .skip 8
saved_rsi: .skip 8
saved_rsp: .skip 8
    .balign 16
    .skip 512
stack_top:
    .section .note.GNU-stack, "", @progbits
