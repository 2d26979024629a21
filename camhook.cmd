@echo off
rem Runs the camhook command of an unpacked distribution or of a built checkout. Needs a JDK from 17 on.
setlocal
set "HOME_DIR=%~dp0"
set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java.exe"
set "COMMAND_JAR=%HOME_DIR%jars\camhook.jar"
if not exist "%COMMAND_JAR%" set "COMMAND_JAR=%HOME_DIR%cam-processor\target\camhook.jar"
if not exist "%COMMAND_JAR%" (
  echo camhook: %COMMAND_JAR% is missing; build it with: mvn -DskipTests package 1>&2
  exit /b 1
)
rem Newer kernels of the oneDNN in PyTorch 2.7.1 give wrong numbers on some processors; see docs\kernels.md.
if not defined ONEDNN_MAX_CPU_ISA set "ONEDNN_MAX_CPU_ISA=AVX"
"%JAVA%" -XX:+UseSerialGC -Djava.awt.headless=true -Dai.djl.offline=true -DOPT_OUT_TRACKING=true "-Dcamhook.home=%HOME_DIR%." -Dcamhook.terminal=false %CAMHOOK_JAVA_OPTS% -jar "%COMMAND_JAR%" %*
exit /b %ERRORLEVEL%
