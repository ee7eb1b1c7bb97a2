/* Host calls that Swift cannot make itself: variadic ones, those that glibc does not wrap, and those
 * whose constants are macros that Swift does not import. One header a topic. */
#ifndef CHOSTOS_H
#define CHOSTOS_H
#include "CHostOSDiagnosis.h"
#include "CHostOSFile.h"
#include "CHostOSMount.h"
#include "CHostOSNetwork.h"
#include "CHostOSProbe.h"
#include "CHostOSProcess.h"
#include "CHostOSResolver.h"
#include "CHostOSSeccomp.h"
#endif
